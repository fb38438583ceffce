// The teacher's token: taken out of the address, kept in this browser, sent as a header. No DOM.

const KEY = "polling-vs-websocket teacher";

/** Take the token from `#token=...`, or from what an earlier page of this browser kept; null if neither. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return kept();
  history.replaceState(null, "", location.pathname + location.search);
  // Not sessionStorage: the lesson's links open new tabs, and those are to be the teacher's as well.
  quietly(() => localStorage.setItem(KEY, given));
  return given;
}

/** Forget a token that the server does not know: each start makes another. */
export function forgetToken() {
  quietly(() => localStorage.removeItem(KEY));
}

function kept() {
  return quietly(() => localStorage.getItem(KEY)) ?? null;
}

// A browser may refuse to store anything; then the token lasts as long as the page.
function quietly(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}
