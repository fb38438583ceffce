// On a phone, after the run: its own guess beside what was measured. No network.

import { element } from "./element.js";
import { number } from "./figures.js";
import { MODES, NAMES, title } from "./modes.js";
import { questionsFor } from "./questions.js";

/** Make the table; `show(state)` fills it. */
export function makeOutcome() {
  const drawing = element("div", { className: "outcome" });
  return { drawing, show };

  function show(state) {
    const result = state.run?.result;
    if (!result) return drawing.replaceChildren(element("p", { textContent: "Nothing has been measured yet." }));
    const rows = questionsFor(state.settings).map((question) => row(question, result, state.guess));
    return drawing.replaceChildren(element("h2", { textContent: "What was measured" }), ...rows);
  }
}

function row(question, result, given) {
  const guess = given?.[question.name] ?? null;
  const said = question.modes ? NAMES[guess] : `${number(guess)} ${question.unit}`;
  const found = MODES.map((mode) => element("li", { data: { mode } },
    title(mode), ": ", element("b", { textContent: `${number(question.measured(result, mode))} ${question.unit}` })));
  return element("section", {}, element("h3", { textContent: question.title }),
    guess === null ? "" : element("p", { textContent: `You said: ${said}` }), element("ul", {}, ...found));
}
