// The moment that is shown: now, or some moment of the last five minutes. No DOM and no network here.

import { KEPT_MS } from "./store.js";

const LATE_MS = 20;  // nearer to now than this is now

/** Make a view clock on `now()`, the page's clock in ms. `time()` is the moment to show. */
export function makeView(now) {
  let anchor = null;  // null: live; else the moment `shown_ms` was shown at `since_ms`, and time runs since
  let paused = false;
  let speed = 1;
  const began_ms = now();

  return {
    time, live, pause, play, toggle, seek, setSpeed,
    get paused() { return paused; },
    get isLive() { return anchor === null; },
    get speed() { return speed; },
    oldest: () => Math.max(began_ms, now() - KEPT_MS),
  };

  function time() {
    const here = now();
    if (anchor === null) return here;
    const run_ms = paused ? 0 : (here - anchor.since_ms) * speed;
    const shown_ms = Math.max(anchor.shown_ms + run_ms, here - KEPT_MS, began_ms);
    if (shown_ms > here - LATE_MS && !paused && speed >= 1) live();
    return Math.min(shown_ms, here);
  }

  function live() {
    anchor = null;
    paused = false;
    if (speed !== 1) setSpeed(1);
  }

  function pause() { seek(time()); }

  function play() {
    seek(time());
    paused = false;
    time();
  }

  function toggle() { if (paused) play(); else pause(); }

  /** Show `at_ms` and stay there. */
  function seek(at_ms) {
    anchor = { shown_ms: at_ms, since_ms: now() };
    paused = true;
  }

  function setSpeed(next) {
    const shown_ms = time();
    const wasPaused = paused;
    speed = next;
    if (anchor === null && speed === 1) return;
    anchor = { shown_ms, since_ms: now() };
    paused = wasPaused;
  }
}
