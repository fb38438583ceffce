// Draw six made seconds of a mode: the page above, the server below, time to the right. It decides nothing.

import { markPath } from "../../draw/marks.js";
import { svg } from "../element.js";
import { STORY, TELL } from "./story.js";

const WIDTH = 680;
const LEFT = 62;
const PAGE = 20;
const SERVER = 88;
const HEIGHT = 112;

/** Draw a mode's story as an SVG. */
export function sketch(mode, name) {
  const { crossings, held } = TELL[mode](STORY);
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "sketch", role: "img", "data-mode": mode });
  drawing.setAttribute("aria-label", `${name}: questions and answers between page and server over six seconds`);
  drawing.append(
    ...held.map(({ from_s, to_s }) => open(mode, from_s, to_s)),
    rail(PAGE), rail(SERVER), word(0, PAGE + 5, "page"), word(0, SERVER + 5, "server"),
    ...STORY.messages_s.flatMap((at_s, index) => message(at_s, index)),
    ...crossings.flatMap((crossing) => arrow(mode, crossing)),
  );
  return drawing;
}

function x(at_s) {
  return LEFT + ((WIDTH - LEFT - 10) * at_s) / STORY.end_s;
}

function rail(y) {
  return svg("line", { x1: LEFT, x2: WIDTH, y1: y, y2: y, class: "rail" });
}

function word(at, y, words, anchor = "start") {
  const made = svg("text", { x: at, y, "text-anchor": anchor });
  made.textContent = words;
  return made;
}

// What is open: a held question at the server, or the socket between both.
function open(mode, from_s, to_s) {
  const [y, height] = mode === "ws" ? [PAGE, SERVER - PAGE] : [SERVER - 5, 10];
  return svg("rect", { x: x(from_s), y, width: x(to_s) - x(from_s), height, class: "open" });
}

function message(at_s, index) {
  return [
    svg("line", { x1: x(at_s), x2: x(at_s), y1: SERVER, y2: SERVER + 9, class: "message" }),
    word(x(at_s), SERVER + 22, "ABCD"[index], "middle"),
  ];
}

function arrow(mode, { up, sent_s, there_s, news, opens }) {
  const [y1, y2] = up ? [PAGE, SERVER] : [SERVER, PAGE];
  const line = svg("line", { x1: x(sent_s), y1, x2: x(there_s), y2, class: news ? "news" : "plain" });
  if (up || opens) return [line];
  const end = svg("path", { d: markPath(mode, news > 1 ? 9 : 7), transform: `translate(${x(there_s)} ${y2})`, class: news ? "full" : "hollow" });
  if (news < 2) return [line, end];
  const count = word(x(there_s), y2 + 5, news, "middle");
  count.setAttribute("class", "count");
  return [line, end, count];
}
