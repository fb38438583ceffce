// How long to wait before trying again, longer each time, and before doing once more what went well. No timers here.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15000;
const SEEN_SOON_MS = 5000;  // that the server is back, by who looks each second
const APART = 0.2;  // of a steady pause: by how much it is shorter or longer, at random

/**
 * Make a backoff: `next(asked_ms)` is the next pause {pause_ms, longest_ms}, drawn from what the server has asked for up to
 * the longest; `reset()` begins anew.
 */
export function makeBackoff(random = Math.random, first_ms = FIRST_PAUSE_MS, longest_ms = LONGEST_PAUSE_MS) {
  let failures = 0;
  return {
    // Full jitter: a crowd that lost its server together does not come back together.
    next(asked_ms = 0) {
      const range_ms = Math.min(first_ms * 2 ** failures, longest_ms);
      failures += 1;
      return { pause_ms: asked_ms + random() * range_ms, longest_ms: asked_ms + range_ms };
    },
    reset() { failures = 0; },
  };
}

/**
 * Make the pace of what is done about every `every_ms`: `pace(error)` is the pause until the next time, in ms, where this
 * one has met an error, or null.
 */
export function makePace(every_ms, random = Math.random) {
  // On average as often as before, then more rarely.
  const backoff = makeBackoff(random, 2 * every_ms, Math.min(LONGEST_PAUSE_MS, Math.max(SEEN_SOON_MS, 5 * every_ms)));
  return (error = null) => {
    if (error !== null) return backoff.next(error.retry_ms).pause_ms;
    backoff.reset();
    // A server that was away answers a whole class at once: it would be asked in step from then on.
    return every_ms + every_ms * APART * (2 * random() - 1);
  };
}
