// How long a reader waits before it tries again, longer each time. No timers here.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15000;

/** Make a backoff: `next()` is the next pause {pause_ms, longest_ms}, drawn from 0 to the longest; `reset()` begins anew. */
export function makeBackoff(random = Math.random) {
  let failures = 0;
  return {
    // Full jitter: a crowd that lost its server together does not come back together.
    next() {
      const longest_ms = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS);
      failures += 1;
      return { pause_ms: random() * longest_ms, longest_ms };
    },
    reset() { failures = 0; },
  };
}
