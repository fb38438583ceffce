// Say what is new through a screen reader, and not more often than anybody can listen. No network.

const PAUSE_MS = 4000;

/** Make an announcer in a live region; `say(text)` is heard at once, or else after a pause, with what came meanwhile. */
export function makeAnnouncer(region, later = setTimeout) {
  let resting = false;
  let waiting = null;
  let more = 0;
  return { say };

  function say(text) {
    if (resting) {
      if (waiting !== null) more += 1;
      waiting = text;
      return;
    }
    region.textContent = text;
    resting = true;
    later(rested, PAUSE_MS);
  }

  function rested() {
    resting = false;
    if (waiting === null) return;
    const text = more ? `${waiting} (and ${more} more before)` : waiting;
    [waiting, more] = [null, 0];
    say(text);
  }
}
