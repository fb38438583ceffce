// The class's votes for a mode beside what the run measured for each. No network.

import { element } from "./element.js";
import { bytes, number } from "./figures.js";
import { MODES, title as named } from "./modes.js";

/** Draw votes (a list of modes) and measured ({mode: bytes or null}) as one table of bars. */
export function drawVotes({ guesses, measured }) {
  const counts = MODES.map((mode) => guesses.filter((guess) => guess === mode).length);
  const figures = MODES.map((mode) => measured[mode] ?? null);
  const fewest = Math.min(...figures.filter((figure) => figure !== null));
  const head = ["Mode", "Guesses", "Measured"].map((title) => element("th", { scope: "col", textContent: title }));
  return element("table", { className: "votes" },
    element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...MODES.map((mode, index) => element("tr", { data: { mode } },
      element("th", { scope: "row" }, named(mode)),
      bar("voted", counts[index], Math.max(...counts), number(counts[index])),
      bar("measured", figures[index], Math.max(...figures), told(figures[index], fewest))))));
}

function bar(className, value, most, words) {
  const length = element("span", { className: "bar", "aria-hidden": "true" });
  length.hidden = !value;
  length.style.inlineSize = value ? `${(60 * value) / most}%` : "0";
  return element("td", { className }, length, element("span", { className: "figure", textContent: words }));
}

function told(figure, fewest) {
  return figure === fewest && figure !== null ? `${bytes(figure)}, the fewest ✓` : bytes(figure);
}
