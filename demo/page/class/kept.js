// What a page should still know when it is loaded anew: in the browser's storage, or, where that refuses, in the
// history's entry of this tab. It is not put into the address: who passes that on would pass on who he is. No DOM.

/** What was kept under `key` in `storage`, "sessionStorage" or "localStorage"; null if nothing was. */
export function recall(storage, key) {
  const stored = quietly(() => JSON.parse(window[storage].getItem(key))) ?? null;
  return stored ?? history.state?.[key] ?? null;
}

/** Keep `value`, which JSON can say. */
export function keep(storage, key, value) {
  const stored = quietly(() => {
    window[storage].setItem(key, JSON.stringify(value));
    return true;
  });
  if (!stored) history.replaceState({ ...history.state, [key]: value }, "");
}

/** Forget what was kept. */
export function forget(storage, key) {
  quietly(() => window[storage].removeItem(key));
  if (history.state?.[key]) history.replaceState({ ...history.state, [key]: null }, "");
}

/** Keep what `value()` says whenever the page is left. */
export function keepOnLeaving(storage, key, value) {
  // When a page is hidden it is too late for its history's entry.
  addEventListener(refuses(storage) ? "beforeunload" : "pagehide", () => keep(storage, key, value()));
}

function refuses(storage) {
  return quietly(() => window[storage].length) === undefined;
}

// A browser may refuse to store anything, by an error at any of this.
function quietly(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}
