// Races: one message sent, three arrivals, all on the page's own clock. No DOM and no network here.

import { Timeline } from "./timeline.js";
import { KEPT_MS } from "./store.js";

/** Make the races of `store`'s lanes of `modes`. `begin(sent_ms)` gives a race; set its `message` when the answer tells it, or `drop(race)`. */
export function makeRaces(modes, store) {
  const races = new Timeline((race) => race.sent_ms);
  return { begin, drop: (race) => races.remove(race), at, until, isOver };

  function begin(sent_ms) {
    const race = { sent_ms, message: null, arrivals: {} };
    races.add(race);
    races.forget(sent_ms - KEPT_MS);
    return race;
  }

  /** The race that was on at `at_ms`, with the arrivals known by now. */
  function at(at_ms) {
    const race = races.at(at_ms);
    if (race) complete(race);
    return race;
  }

  /** The last `count` races begun by `at_ms`. */
  function until(at_ms, count) {
    const all = races.between(-Infinity, at_ms).slice(-count);
    all.forEach(complete);
    return all;
  }

  /** Was the race's message there before it was sent? It was sent before then, and no answer had come. */
  function isOver({ sent_ms, message }) {
    return Object.values(store.arrivals(message.published_ns)).some((at_ms) => at_ms < sent_ms);
  }

  function complete({ sent_ms, message, arrivals }) {
    if (message === null) return;
    const seen = store.arrivals(message.published_ns);
    for (const mode of modes) if (mode in seen) arrivals[mode] ??= seen[mode] - sent_ms;
  }
}
