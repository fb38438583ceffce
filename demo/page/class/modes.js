// The three modes in their order, by the names that people read and the marks that they have everywhere.

import { markPath } from "../draw/marks.js";
import { MODES as ALL } from "../lanes/modes.js";
import { element, svg } from "./element.js";

export const MODES = Object.keys(ALL);

export const NAMES = Object.fromEntries(MODES.map((mode) => [mode, ALL[mode].name]));

/** A mode's mark and name, for a heading or a button: colour alone is not for everyone. */
export function title(mode) {
  const mark = svg("svg", { viewBox: "-10 -10 20 20", class: "mark", "aria-hidden": "true" }, svg("path", { d: markPath(mode, 8) }));
  return element("span", { className: "mode-title", data: { mode } }, mark, ` ${NAMES[mode]}`);
}
