// When to give up a reader that hears nothing although the feed has moved on. No timers here.

import { PATIENCE_MS } from "./patience.js";

const LONGEST_MS = 16 * PATIENCE_MS;

/** Make a doubt: `asked()` and `heard()` as the reader does so; `due(behind)` says whether it is to be given up by now. */
export function makeDoubt(now) {
  let since_ms = null;  // since when it is behind, and has heard nothing
  let patience_ms = PATIENCE_MS;
  return { asked, heard, due };

  function asked() { since_ms = null; }

  // What took long to come will again: only who hears soon has a line that the first patience is for.
  function heard() {
    if (since_ms === null || now() - since_ms < PATIENCE_MS / 2) patience_ms = PATIENCE_MS;
    since_ms = null;
  }

  // Each time in vain it has twice as long: over a slow line a long message may just not be there yet.
  function due(behind) {
    since_ms = behind ? since_ms ?? now() : null;
    if (!behind || now() - since_ms < patience_ms) return false;
    since_ms = null;
    patience_ms = Math.min(2 * patience_ms, LONGEST_MS);
    return true;
  }
}
