// Report what one reader saw, about every 2 s: raw rows with the server's stamps, no averages. No DOM.

import { makePace } from "../lanes/backoff.js";

const EVERY_MS = 2000;
const ROWS = 400;  // of each kind in one report
const KEPT = 4000;  // while the server does not answer; then the oldest go
const LAST_NS = 4e18;  // of a publisher's stamps, which may be anything; in a feed that was written down there may be later ones

/**
 * Report for a reader; `hear(event)` takes a lane's events, `use(mode)` begins another mode, `part()` reports what is
 * left when the page goes. `after` is the number of the last report that a page before this one has made.
 */
export function makeReporter({ room, reader, mode, after = 0 }) {
  let rows = { requests: [], deliveries: [] };
  const unheard = [];  // reports that were not answered yet: each is sent again as it was
  const pace = makePace(EVERY_MS);
  let failures = 0;
  // Rising for as long as the reader has its name, reloads included: the server takes each number once.
  let number = Math.max(after, Math.floor(Date.now() / 1000));
  setTimeout(send, pace());

  return { hear, use, part, number: () => number };

  function use(next) {
    make();
    mode = next;
    rows = { requests: [], deliveries: [] };
  }

  // A socket's row is the server's, which knows when it ends.
  function hear({ kind, at_ms, exchange, message }) {
    if (kind === "delivered") keep(rows.deliveries, { message, at_ms });
    else if (kind === "answered" && mode !== "ws") request(exchange);
    else if (kind === "failed" && (exchange.status === 0 || exchange.refusal !== null)) {
      failures += exchange.status === 0;
      request(exchange);
    }
  }

  // A page cannot see its connections: one that stays is taken to have stayed until something failed.
  function request(exchange) {
    const anew = mode === "ws" || room.state?.settings.keepalive === false;
    keep(rows.requests, { ...exchange, connection: anew ? exchange.number : failures + 1 });
  }

  async function send() {
    let failure = null;
    try {
      if (!unheard.some((each) => each.mode === mode)) make();
      for (; unheard.length; unheard.shift()) room.adopt(await room.report(unheard[0]));
    } catch (error) {
      failure = error;
      if (isHopeless(error)) unheard.shift();
      room.lose();
    }
    setTimeout(send, pace(failure));
  }

  // No better the next time; nor is a server that does not know the reader in a mode that it has left.
  function isHopeless({ status }) {
    return status === 400 || status === 413 || (status === 404 && unheard[0].mode !== mode);
  }

  // The browser sends these after the page has gone, and nobody hears the answers. One that is under way goes again.
  function part() {
    make();
    for (const last of unheard) room.report(last, { keepalive: true }).catch(() => {});
  }

  function make() {
    const made = report();
    if (made !== null) unheard.push(made);
  }

  // Stamps are put on the server's clock only now: the estimate has become better since. What was before a
  // phone's sleep has none, and is left out.
  function report() {
    const clock_error_ms = room.clock_error_ms();
    if (clock_error_ms === null) return null;
    const requests = rows.requests.splice(0, ROWS);
    const deliveries = rows.deliveries.splice(0, ROWS);
    return {
      reader, mode, clock_error_ms, number: number += 1,
      requests: requests.map(({ asked_ms, ended_ms, status, messages, connection }) => [
        room.server_ns(asked_ms), room.server_ns(ended_ms), status, messages, connection,
      ]).filter(stamped),
      deliveries: deliveries.map(({ message, at_ms }) => [
        message.id, message.published_ns, Math.min(message.sent_ns, LAST_NS), room.server_ns(at_ms),
      ]).filter(stamped),
    };
  }
}

function stamped(row) {
  return !row.includes(null);
}

function keep(rows, row) {
  rows.push(row);
  if (rows.length > KEPT) rows.shift();
}
