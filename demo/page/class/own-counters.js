// A phone's own counters: what its mode has cost it, and how late the last message was. No network.

import { bytes, milliseconds, number, UNKNOWN } from "./figures.js";

/**
 * Count a lane's events into the elements of `places`; `server(tallies)` takes the server's count of bytes in each mode,
 * `clear(mode)` begins with another mode. `counted()` is what a page that is loaded anew goes on from, by `resume(counted)`.
 */
export function makeOwnCounters(places, room) {
  let counts = zero();
  let told = {};
  let mode = null;
  let before = 0;
  return { hear, server, clear, draw, counted: () => ({ ...counts, last: null, before }), resume };

  function hear({ kind, at_ms, exchange, message }) {
    if (kind === "asked") counts.requests += 1;
    if (kind === "answered" && exchange.status === 204) counts.empty += 1;
    if (kind === "delivered") {
      counts.messages += 1;
      counts.last = { at_ms, published_ns: message.published_ns };
    }
  }

  // The server counts a reader in each mode for ever: what an earlier time in this mode has cost is taken off.
  function server(tallies) {
    told = tallies;
    const all = spent();
    if (all < before) before = 0;  // the server has been started anew
    if (mode in told) counts.bytes = all - before;
  }

  function clear(next) {
    counts = zero();
    mode = next;
    before = spent();
  }

  function spent() {
    return mode in told ? told[mode].bytes_in + told[mode].bytes_out : 0;
  }

  function resume({ before: taken_off, ...counted }) {
    counts = { ...zero(), ...counted };
    before = taken_off;
  }

  function draw() {
    places.requests.textContent = number(counts.requests);
    places.empty.textContent = number(counts.empty);
    places.messages.textContent = number(counts.messages);
    places.bytes.textContent = bytes(counts.bytes);
    places.latency.textContent = late();
  }

  function late() {
    const error_ms = room.clock_error_ms();
    const arrived_ns = counts.last === null ? null : room.server_ns(counts.last.at_ms);
    if (arrived_ns === null || error_ms === null) return UNKNOWN;
    const late_ms = (arrived_ns - counts.last.published_ns) / 1e6;
    return `${milliseconds(Math.max(0, late_ms))} ±${number(error_ms)}`;
  }
}

function zero() {
  return { requests: 0, empty: 0, messages: 0, bytes: null, last: null };
}
