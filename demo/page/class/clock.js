// The server's clock as seen from here: an offset to the page's own, and how wrong it may be. No DOM.

const KEPT = 24;
const DRIFT = 1e-4;  // two quartz clocks part by less than 100 millionths: an old sample is worth less

/** Estimate the server's clock from round trips: `sample(asked_ms, answered_ms, server_ns)`. */
export function makeClock(page_ms = () => performance.now()) {
  let samples = [];
  let best = null;

  return { sample, now, error_ns, server_ns, known: () => best !== null };

  // The server read its clock at some moment of the round trip: the middle is wrong by half of it at most.
  function sample(asked_ms, answered_ms, at_ns) {
    const middle_ms = (asked_ms + answered_ms) / 2;
    samples.push({ at_ms: middle_ms, offset_ns: at_ns - middle_ms * 1e6, error_ns: (answered_ms - asked_ms) * 5e5 });
    samples = samples.slice(-KEPT);
    const worth = (each) => each.error_ns + age_ns(each, answered_ms) * DRIFT;
    best = samples.reduce((a, b) => (worth(b) < worth(a) ? b : a));
  }

  function age_ns(each, at_ms) {
    return Math.max(0, at_ms - each.at_ms) * 1e6;
  }

  /** The server's clock in ns now, or null as long as it is not known. */
  function now() {
    return server_ns(page_ms());
  }

  /** The server's clock in ns at a moment of `performance.now()`. */
  function server_ns(at_ms) {
    return best === null ? null : Math.round(at_ms * 1e6 + best.offset_ns);
  }

  /** By how much `now()` may be wrong, in ns. */
  function error_ns() {
    return best === null ? null : best.error_ns + age_ns(best, page_ms()) * DRIFT;
  }
}
