// One lane on the page: its head, transcript, diagram and counters. No network here.

import { svg, write } from "../class/element.js";
import { doing } from "../lines.js";
import { makeSurface } from "./canvas.js";
import { makeCounters } from "./counters.js";
import { drawLane } from "./diagram.js";
import { markPath } from "./marks.js";
import { makeTranscript } from "./transcript.js";

const FIGURES_EVERY_MS = 200;

/** Make the panel of `mode` from the page's template; `draw(at_ms, px_per_s)` brings it to a moment. */
export function makePanel(mode, { name, idea }, store) {
  const node = document.getElementById("lane").content.cloneNode(true).firstElementChild;
  const part = (selector) => node.querySelector(selector);
  const lane = store.lane(mode);
  node.dataset.mode = mode;
  node.setAttribute("aria-label", name);
  part("h2").append(svg("svg", { viewBox: "-10 -10 20 20", "aria-hidden": "true" }, svg("path", { d: markPath(mode, 9) })), ` ${name}`);
  part("h2").title = idea;
  part(".transcript").setAttribute("aria-label", `${name}: messages`);
  part(".break").setAttribute("aria-label", `Break ${name}`);
  document.getElementById("lanes").append(node);

  const surface = makeSurface(part("canvas"));
  const transcript = makeTranscript(part("ol"));
  const counters = makeCounters(part(".counters"), part(".thousand"));
  let drawn = null;
  let figures_ms = -Infinity;
  return { node, draw };

  function draw(at_ms, px_per_unit_s, here_ms) {
    if (drawn === `${at_ms} ${surface.changes}`) return;
    drawn = `${at_ms} ${surface.changes}`;
    if (surface.width) drawLane(surface, { mode, lane, published: store.published, at_ms, px_per_s: px_per_unit_s * surface.unit });
    transcript.show(lane.lines, at_ms);
    if (Math.abs(here_ms - figures_ms) < FIGURES_EVERY_MS && at_ms >= here_ms - 1) return;
    figures_ms = here_ms;
    counters.show((when_ms) => store.counters(mode, when_ms), at_ms, store.began_ms());
    tell(doing(mode, lane, at_ms), at_ms);
  }

  function tell({ text, lost }, at_ms) {
    const line = part(".doing");
    write(line, text);
    line.classList.toggle("lost", lost);
    const { requests, empty, messages } = store.counters(mode, at_ms);
    part("canvas").setAttribute("aria-label", `${name}, ${text}: ${requests} requests, ${empty} empty, ${messages} messages`);
  }
}
