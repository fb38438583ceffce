// The words of a transcript: what a reader notices besides messages, and what it does right now. No DOM here.

import { milliseconds } from "./class/figures.js";

const VERDICT_SHOWN_MS = 8000;

/** One line of a transcript for what is no message, or null when it is not worth one. */
export const NOTES = {
  failed: ({ exchange, pause_ms, longest_ms }) => `${trouble(exchange)}. Tries again in ${milliseconds(pause_ms)}, at random within ${milliseconds(longest_ms)}.`,
  gap: ({ notice, cursor }) => `Told of a gap: it had up to #${cursor}, and that history has ended or begins later now. Reads on from #${notice.oldest}.`,
  anew: () => "Another history, and nobody said so: without a cursor a gap cannot be told.",
  skipped: () => null,
  verdict,
};

function trouble({ refusal }) {
  return refusal === null ? "Connection lost" : `Refused: ${refusal}`;
}

function verdict({ away_ms, caught_up, lost, gap, cursor }) {
  if (gap) return "Back. Lost what the gap swallowed, and told so.";
  const back = `Back after ${milliseconds(away_ms)}`;
  if (lost === null) return `${back}. Without a cursor nobody can say what it has lost.`;
  if (lost > 0) return `${back}: lost ${lost}, for want of a cursor.`;
  return `${back}: ${caught_up ? `caught up on ${caught_up} from cursor ${cursor}` : "nothing had come meanwhile"}, lost 0.`;
}

// The same for one short line, the loss first.
function brief({ caught_up, lost, gap }) {
  if (gap) return "Back, and told of a gap";
  if (lost === null) return "Back; what is lost nobody can say";
  return `Back: lost ${lost}${caught_up ? `, caught up on ${caught_up}` : ""}`;
}

/** What the reader of a store's `lane` is doing at `at_ms`: {text, lost}. */
export function doing(mode, lane, at_ms) {
  const exchange = lane.exchanges.at(at_ms);
  if (!exchange) return { text: "begins", lost: false };
  const last = lane.lines.at(at_ms);
  if (last?.kind === "verdict" && at_ms - last.at_ms < VERDICT_SHOWN_MS) return { text: brief(last), lost: true };
  const over = exchange.ended_ms !== null && exchange.ended_ms <= at_ms;
  if (over && (exchange.status === 0 || exchange.refusal !== null)) return away(exchange, lane, at_ms);
  return { text: over ? pausing(lane, at_ms) : UNDER_WAY[mode](exchange, at_ms), lost: false };
}

const UNDER_WAY = {
  short: () => "asks: anything new?",
  long: ({ asked_ms }, at_ms) => `question open for ${clock(at_ms - asked_ms)}`,
  ws: ({ opened_ms }, at_ms) => (opened_ms !== null && opened_ms <= at_ms ? `socket open for ${clock(at_ms - opened_ms)}` : "opens a socket"),
};

function pausing(lane, at_ms) {
  const wait = lane.waits.at(at_ms);
  return wait && wait.until_ms > at_ms ? `asks again in ${clock(wait.until_ms - at_ms)}` : "asks again";
}

function away(exchange, lane, at_ms) {
  const wait = lane.waits.at(at_ms);
  const left_ms = wait ? Math.max(0, wait.until_ms - at_ms) : 0;
  const why = exchange.refusal === null ? "connection lost" : "refused";
  return { text: `${why}, tries again in ${clock(left_ms)}`, lost: true };
}

function clock(ms) {
  return ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.floor(ms / 60_000)} min ${Math.floor(ms / 1000) % 60} s`;
}
