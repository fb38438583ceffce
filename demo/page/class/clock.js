// The server's clock as seen from here: an offset to the page's own, and how wrong it may be. No DOM.

const KEPT = 24;
const DRIFT = 1e-4;  // two quartz clocks part by less than 100 millionths: an old sample is worth less
const SLEPT_MS = 1000;  // the page's clock may stand still while a phone sleeps; the wall clock goes on

/**
 * Estimate the server's clock from round trips: `sample(asked_ms, answered_ms, server_ns)`.
 *
 * What is known holds from some moment on: when the page's clock has stood still, all before is forgotten.
 */
export function makeClock(page_ms = () => performance.now(), wall_ms = () => Date.now()) {
  let samples = [];
  let best = null;
  let since_ms = -Infinity;
  let apart_ms = wall_ms() - page_ms();

  return { sample, now, error_ns, server_ns, toPage, known: () => estimate() !== null };

  // The server read its clock at some moment of the round trip: the middle is wrong by half of it at most.
  function sample(asked_ms, answered_ms, at_ns) {
    estimate();
    const middle_ms = (asked_ms + answered_ms) / 2;
    const latest = { at_ms: middle_ms, offset_ns: at_ns - middle_ms * 1e6, error_ns: (answered_ms - asked_ms) * 5e5 };
    if (samples.some((each) => contradict(each, latest))) forget(asked_ms);
    samples = [...samples, latest].slice(-KEPT);
    const worth = (each) => each.error_ns + age_ns(each, answered_ms) * DRIFT;
    best = samples.reduce((a, b) => (worth(b) < worth(a) ? b : a));
  }

  // One of the two clocks has jumped between two samples that are so far from agreeing.
  function contradict(early, late) {
    const unsure_ns = early.error_ns + late.error_ns + age_ns(early, late.at_ms) * DRIFT;
    return Math.abs(late.offset_ns - early.offset_ns) > unsure_ns + SLEPT_MS * 1e6;
  }

  function estimate() {
    const before_ms = apart_ms;
    apart_ms = wall_ms() - page_ms();
    if (Math.abs(apart_ms - before_ms) > SLEPT_MS) forget(page_ms());
    return best;
  }

  function forget(at_ms) {
    samples = [];
    best = null;
    since_ms = at_ms;
  }

  function age_ns(each, at_ms) {
    return Math.max(0, at_ms - each.at_ms) * 1e6;
  }

  /** The server's clock in ns now, or null as long as it is not known. */
  function now() {
    return server_ns(page_ms());
  }

  /** The server's clock in ns at a moment of `performance.now()`, or null when nobody knows. */
  function server_ns(at_ms) {
    const here = estimate();
    return here === null || at_ms < since_ms ? null : Math.round(at_ms * 1e6 + here.offset_ns);
  }

  /** The moment of `performance.now()` at which the server's clock said `at_ns`, or null when nobody knows. */
  function toPage(at_ns) {
    const here_ns = now();
    return here_ns === null ? null : page_ms() - (here_ns - at_ns) / 1e6;
  }

  /** By how much `now()` may be wrong, in ns. */
  function error_ns() {
    const here = estimate();
    return here === null ? null : here.error_ns + age_ns(here, page_ms()) * DRIFT;
  }
}
