// What happened in each lane in the last five minutes, so that any moment of them can be looked at again.
// No DOM and no network here.

import { Timeline } from "./timeline.js";

export const KEPT_MS = 5 * 60 * 1000;
const FORGET_EVERY = 256;  // events
const UNDER_WAY_MS = 50;  // what was asked so lately may not have reached the server

const COUNTED = ["requests", "bytes_in", "bytes_out"];  // by the server, of all that it counts

const NOTHING = {
  requests: 0, empty: 0, messages: 0, missing: 0, timed: 0, latency_sum_ms: 0, latency_last_ms: null,
};

/**
 * Make a store of the lanes of `modes`. `toPage(published_ns)` puts the server's stamp on the page's clock, in ms;
 * while that is not known, messages count from their arrival.
 *
 * `hear(mode, event)` takes a lane's event (see lanes/lane.js), `count(mode, tally, asked_ms, at_ms)` what the server
 * had counted when it was asked in between, and says whether that was a server that has begun anew.
 * `lane(mode)` has timelines: `exchanges` by asked_ms, `deliveries` {at_ms, published_ms, message, rtt_ms} by
 * arrival, `waits` for what the reader waits, and `lines`, the transcript: deliveries, and what else a reader
 * notices {at_ms, kind, ...}. `counters(mode, at_ms)` are the counters of that moment. `published` has each
 * message once, {at_ms, id, arrivals: {mode: at_ms}}, by when it was published as far as the page has heard;
 * `arrivals(published_ns)` are those of one message.
 */
export function makeStore(modes, toPage, from = 0) {
  const lanes = Object.fromEntries(modes.map((mode) => [mode, new LaneStore(from)]));
  const published = new Timeline((message) => message.at_ms);
  const arrivals = new Map();  // by published_ns: ids begin anew with each history
  let began_ms = null;
  let heard = 0;

  return {
    hear, count, lane: (mode) => lanes[mode], counters, published, steps,
    arrivals: (published_ns) => arrivals.get(published_ns) ?? {}, began_ms: () => began_ms ?? 0,
  };

  function hear(mode, event) {
    const lane = lanes[mode];
    began_ms ??= event.at_ms;
    if (event.kind === "delivered") deliver(mode, event);
    else lane.hear(event);
    if (event.kind === "answered" && event.exchange.cursor === null) lane.passBy(published.at(event.exchange.asked_ms));
    if ((heard += 1) % FORGET_EVERY === 0) forget(event.at_ms - KEPT_MS);
  }

  function deliver(mode, { at_ms, message, rtt_ms }) {
    const stamped_ms = toPage(message.published_ns);
    const published_ms = Math.min(stamped_ms ?? at_ms, at_ms);
    if (!arrivals.has(message.published_ns)) enter(message, published_ms);
    arrivals.get(message.published_ns)[mode] = at_ms;
    lanes[mode].deliver({ at_ms, published_ms, message, rtt_ms }, stamped_ms !== null && published_ms >= began_ms);
  }

  // Not by how large the stamp is: stamps go back when the server's machine is started anew.
  function enter({ id, published_ns }, published_ms) {
    const arrived = {};
    arrivals.set(published_ns, arrived);
    published.add({ at_ms: Math.max(published_ms, published.last?.at_ms ?? 0), id, arrivals: arrived });
  }

  function count(mode, tally, asked_ms, at_ms) { return lanes[mode].count(tally, asked_ms, at_ms); }

  function counters(mode, at_ms) {
    const total = lanes[mode].totals.at(at_ms) ?? NOTHING;
    const tally = lanes[mode].tallies.at(at_ms) ?? null;
    return { ...total, requests: total.requests + (tally?.unseen ?? 0), tally };
  }

  /** When something next happened, in any lane, after `at_ms`; or, `back`, last before it. */
  function steps(at_ms, back) {
    const near = Object.values(lanes).flatMap(({ totals }) => {
      const index = totals.count(back ? at_ms - 1e-3 : at_ms);
      return totals.slice(back ? index - 1 : index, back ? index : index + 1).map((each) => each.at_ms);
    });
    if (near.length === 0) return null;
    return back ? Math.max(...near) : Math.min(...near);
  }

  function forget(before_ms) {
    published.forget(before_ms);
    for (const oldest of arrivals.keys()) {
      if (arrivals.size <= published.length) break;
      arrivals.delete(oldest);
    }
    for (const lane of Object.values(lanes)) lane.forget(before_ms);
  }
}

class LaneStore {
  exchanges = new Timeline((exchange) => exchange.asked_ms);
  deliveries = new Timeline((delivery) => delivery.at_ms);
  waits = new Timeline((wait) => wait.at_ms);
  lines = new Timeline((line) => line.at_ms);
  totals = new Timeline((total) => total.at_ms);
  tallies = new Timeline((tally) => tally.at_ms);

  #now = NOTHING;
  #passed;  // the highest id that has come or gone by
  #anew_ms = 0;
  #told = null;  // by the server, when it was asked last
  #before = Object.fromEntries(COUNTED.map((name) => [name, 0]));  // counted until a server ended, and another began

  constructor(from) { this.#passed = from; }

  deliver(delivery, timed) {
    const { id } = delivery.message;
    this.deliveries.add(delivery);
    this.lines.add(delivery);
    this.#total(delivery.at_ms, {
      missing: this.#now.missing + (id > this.#passed ? id - this.#passed - 1 : -1),
      messages: this.#now.messages + 1,
      ...(timed ? this.#timed(delivery.at_ms - delivery.published_ms) : {}),
    });
    this.#passed = Math.max(this.#passed, id);
  }

  // What was said before this page was there is no latency of this page's.
  #timed(latency_ms) {
    const { timed, latency_sum_ms } = this.#now;
    return { timed: timed + 1, latency_sum_ms: latency_sum_ms + latency_ms, latency_last_ms: latency_ms };
  }

  /** A reader without a cursor has asked and was not given `message`, of which others know. */
  passBy(message) {
    if (message && message.at_ms > this.#anew_ms) this.#pass(message.id, this.#now.at_ms);
  }

  // A browser asks again by itself when a connection that it had kept breaks: no page sees that, the server does.
  // By how much its count is ahead can be told only while no question is on its way.
  count(tally, asked_ms, at_ms) {
    const anew = this.#told !== null && COUNTED.some((name) => tally[name] < this.#told[name]);
    if (anew) this.#before = this.#all(this.#told);
    this.#told = tally;
    const all = this.#all(tally);
    const settled = asked_ms - (this.exchanges.last?.asked_ms ?? -Infinity) > UNDER_WAY_MS;
    const ahead = Math.max(0, all.requests - this.#now.requests);
    this.tallies.add({ ...all, at_ms, unseen: settled ? ahead : this.tallies.last?.unseen ?? 0 });
    return anew;
  }

  hear(event) {
    const { at_ms, kind, exchange } = event;
    const now = this.#now;
    if (kind === "asked") {
      this.exchanges.add(exchange);
      this.#total(at_ms, { requests: now.requests + 1 });
    } else if (kind === "answered") {
      this.#total(at_ms, { empty: now.empty + (exchange.status === 204) });
    } else if (kind === "waiting") {
      this.waits.add(event);
    } else if (kind !== "opened") {
      this.lines.add(event);
      if (kind === "skipped") this.#pass(event.to, at_ms);
      if (kind === "anew") this.#begin(event.cursor, at_ms);
      if (kind === "failed") this.#total(at_ms, {});  // nothing to count, but a moment to step to
      if (kind === "gap") this.#begin(event.notice.oldest - 1, at_ms);
    }
  }

  forget(before_ms) {
    const { exchanges, deliveries, waits, lines, totals, tallies } = this;
    for (const timeline of [exchanges, deliveries, waits, lines, totals, tallies]) timeline.forget(before_ms);
  }

  #all(tally) {
    return Object.fromEntries(COUNTED.map((name) => [name, this.#before[name] + tally[name]]));
  }

  #pass(id, at_ms) {
    if (id <= this.#passed) return;
    const missing = this.#now.missing + id - this.#passed;
    this.#passed = id;
    this.#total(at_ms, { missing });
  }

  #begin(cursor, at_ms) {
    this.#passed = cursor;
    this.#anew_ms = at_ms;
    this.#total(at_ms, {});
  }

  #total(at_ms, changes) {
    this.#now = { ...this.#now, ...changes, at_ms };
    this.totals.add(this.#now);
  }
}
