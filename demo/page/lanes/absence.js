// What a time without connection costs a reader: how long it was, what the reader caught up on or lost. No DOM here.

const SETTLED_MS = 1000;  // without more of what was missed: longer than a frame takes on a slow line

/**
 * Follow a reader's absences: `begin` and `gap` when it is cut off, `skip` and `take` for what passes and what comes,
 * `back` when it is answered. `tell(verdict)` is called when what was missed has arrived (see lane.js for the verdict).
 * `toPage` as in store.js; while it knows nothing, the message that came fastest tells how the clocks are apart: a
 * poller's may have waited for it for long.
 */
export function makeAbsence(now, tell, toPage = () => null) {
  let away = null;  // since when, and from where, while the connection is lost
  let settling;
  let fastest_ms = Infinity;  // the least that the page's clock at an arrival was ahead of the message's stamp
  return { begin, gap, skip, take, back };

  function begin(since_ms, cursor) {
    away ??= { since_ms, returned_ms: null, cursor, gap: false, skipped: 0 };
    away.returned_ms = null;
  }

  function gap(cursor) {
    away = { since_ms: away?.since_ms ?? now(), returned_ms: null, cursor, gap: true, skipped: 0 };
  }

  function skip(count) {
    if (away) away.skipped += count;
  }

  function take(message) {
    const stamp_ms = message.published_ns / 1e6;
    fastest_ms = Math.min(fastest_ms, now() - stamp_ms);
    if (!away || away.returned_ms === null) return;
    if ((toPage(message.published_ns) ?? stamp_ms + fastest_ms) >= away.returned_ms) return;
    away.caught_up += 1;
    settle();
  }

  // Nobody tells a reader that asks without its cursor, and is given nothing, what it has missed: then it was not `told`.
  function back(returned_ms, told) {
    if (away === null) return;
    away.told ||= told;
    if (away.returned_ms !== null) return;
    Object.assign(away, { returned_ms, caught_up: 0 });
    settle();
  }

  function settle() {
    clearTimeout(settling);
    settling = setTimeout(judge, SETTLED_MS);
  }

  function judge() {
    if (away.returned_ms === null) return;  // lost again, or told of a gap, meanwhile
    const { since_ms, returned_ms, caught_up, cursor, gap, told, skipped } = away;
    away = null;
    tell({ away_ms: returned_ms - since_ms, caught_up, cursor, gap, lost: told ? skipped : null });
  }
}
