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

/** Follow a lane's events; `sentence(now_ms)` says what it does, `lost()` whether the connection is gone. */
export function makeDoing(mode) {
  let last = { kind: "asked", at_ms: performance.now() };
  let lost = false;
  return { hear, sentence, lost: () => lost };

  function hear(event) {
    if (event.kind === "failed") lost = true;
    if (event.kind === "answered" || event.kind === "opened") lost = false;
    if (event.kind in SENTENCES[mode] && (event.kind !== "asked" || !lost)) last = event;
    if (event.kind === "waiting") last = event;
  }

  function sentence(now_ms) {
    const left_s = Math.max(0, (last.until_ms ?? 0) - now_ms) / 1000;
    if (lost) return left_s > 0 ? `The server is gone. Trying again in ${left_s.toFixed(1)} s` : "The server is gone. Trying again";
    return SENTENCES[mode][last.kind]?.(left_s, (now_ms - last.at_ms) / 1000) ?? "";
  }
}
