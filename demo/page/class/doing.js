// What a reader's mode is doing at this moment, in one sentence. No DOM and no network.

const SENTENCES = {
  short: {
    asked: () => "asks: is there anything new?",
    waiting: (left_s) => `waits; asks again in ${left_s.toFixed(1)} s`,
  },
  long: {
    asked: (_, open_s) => `has asked; the server has held the question for ${open_s.toFixed(0)} s`,
    waiting: (left_s) => `asks again in ${left_s.toFixed(1)} s`,
  },
  ws: {
    asked: () => "asks to open a socket",
    opened: (_, open_s) => `has asked nothing for ${open_s.toFixed(0)} s: the socket is open, and news just comes`,
    waiting: (left_s) => `opens the socket again in ${left_s.toFixed(1)} s`,
  },
};

const GONE = "The server is gone";

/** Follow a lane's events; `sentence(now_ms)` says what it does, `trouble()` why no news come, or null while they do. */
export function makeDoing(mode) {
  let last = { kind: "asked", at_ms: performance.now() };
  let trouble = null;
  return { hear, sentence, trouble: () => trouble };

  function hear(event) {
    if (event.kind === "failed") trouble = event.exchange.refusal === null ? GONE : `Refused: ${event.exchange.refusal}`;
    if (event.kind === "answered" || event.kind === "opened") trouble = null;
    if (event.kind in SENTENCES[mode]) last = event;
  }

  function sentence(now_ms) {
    const left_s = Math.max(0, (last.until_ms ?? 0) - now_ms) / 1000;
    if (trouble !== null && last.kind === "asked") return "has asked again; no answer yet";  // it may be held
    if (trouble !== null) return left_s > 0 ? `${trouble}. Trying again in ${left_s.toFixed(1)} s` : `${trouble}. Trying again`;
    return SENTENCES[mode][last.kind]?.(left_s, (now_ms - last.at_ms) / 1000) ?? "";
  }
}
