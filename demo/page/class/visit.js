// What a phone's page should still know when it is loaded anew: where it stood, and what it had counted. Kept for this
// tab alone. No DOM.

const KEY = "polling-vs-websocket visit";

/** What the page that was here before has kept, {mode, cursor, epoch, counted, number}, or null. */
export function takeVisit() {
  return quietly(() => JSON.parse(sessionStorage.getItem(KEY)));
}

/** Keep what `visit()` says whenever the page is left. */
export function keepVisit(visit) {
  addEventListener("pagehide", () => quietly(() => sessionStorage.setItem(KEY, JSON.stringify(visit()))));
}

// A browser may refuse to store anything; then the page begins anew.
function quietly(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
