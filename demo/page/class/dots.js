// A question's guesses as dots over a line, and what the run measured on the same line. No network.

import { markPath } from "../draw/marks.js";
import { svg } from "./element.js";
import { number } from "./figures.js";
import { MODES, NAMES } from "./modes.js";

const EDGE = 40;
const ROOM_FOR_DOTS = 100;
const LABEL = 28;
const NARROW = 480;  // too narrow for the unit behind each figure
const AXIS = LABEL * 3 + ROOM_FOR_DOTS;

/** Draw guesses (numbers) and measured ({mode: number or null}) into an SVG of that width. */
export function drawDots({ guesses, measured, unit, width }) {
  const known = MODES.filter((mode) => measured[mode] !== null && measured[mode] !== undefined);
  const scale = makeScale([...guesses, ...known.map((mode) => measured[mode])], width);
  const drawing = svg("svg", { viewBox: `0 0 ${width} ${AXIS + 36}`, width, height: AXIS + 36, role: "img" });
  drawing.setAttribute("aria-label", label(guesses, known.map((mode) => [mode, measured[mode]]), unit));
  drawing.append(...axis(scale, width), ...swarm(guesses, scale, width));
  known.forEach((mode) => drawing.append(...answer(mode, measured[mode], unit, scale, width)));
  return drawing;
}

// Equal steps for equal factors: guesses differ by tens and hundreds. What is 0 stands at the left end.
function makeScale(values, width) {
  const sizes = values.filter((value) => value > 0).map(Math.log10);
  const from = Math.max(Math.floor(Math.min(0, ...sizes)), -1);
  const to = Math.max(Math.ceil(Math.max(3, ...sizes)), from + 2);
  const place = (value) => {
    const size = value > 0 ? Math.min(Math.max(Math.log10(value), from), to) : from;
    return EDGE + ((width - 2 * EDGE) * (size - from)) / (to - from);
  };
  return { place, from, to };
}

function axis({ place, from, to }, width) {
  const lowest = 10 ** from;  // what is less stands there too, 0 among it
  const ticks = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index));
  return [
    svg("line", { x1: EDGE, x2: width - EDGE, y1: AXIS, y2: AXIS, class: "axis" }),
    ...ticks.flatMap((value) => [
      svg("line", { x1: place(value), x2: place(value), y1: AXIS, y2: AXIS + 6, class: "axis" }),
      text(place(value), AXIS + 30, value === lowest ? `≤ ${number(value)}` : number(value), "tick", "middle"),
    ]),
  ];
}

// Dots that would cover each other stand on each other; a column that is full gets another beside it.
function swarm(guesses, { place }, width) {
  const radius = dotSize(guesses.length, width);
  const levels = Math.floor(ROOM_FOR_DOTS / (2 * radius));
  const columns = new Map();
  for (const guess of guesses) {
    const column = Math.round(place(guess) / (2 * radius));
    columns.set(column, (columns.get(column) ?? 0) + 1);
  }
  return [...columns].flatMap(([column, count]) => Array.from({ length: count }, (_, index) => svg("circle", {
    cx: 2 * radius * (column + Math.floor(index / levels) - (Math.ceil(count / levels) - 1) / 2),
    cy: AXIS - 4 - radius * (1 + 2 * (index % levels)), r: radius - 1, class: "guess",
  })));
}

function dotSize(count, width) {
  const size = count > 120 ? 4 : count > 50 ? 6 : 8;
  return width < NARROW ? size - 1 : size;
}

function answer(mode, value, unit, { place }, width) {
  const [x, y] = [place(value), LABEL * (MODES.indexOf(mode) + 1) - 7];
  const left = x > width / 2;
  const group = svg("g", { class: "measured", "data-mode": mode },
    svg("rect", { x: x - 2, y: y - 14, width: 4, height: AXIS - y + 14 }),
    svg("path", { d: markPath(mode, 10), transform: `translate(${x} ${AXIS})` }),
    text(left ? x - 14 : x + 10, y, `${NAMES[mode]} ${number(value)}${width < NARROW ? "" : ` ${unit}`}`, "value", left ? "end" : "start"));
  return [group];
}

function text(x, y, words, className, anchor) {
  const made = svg("text", { x, y, class: className, "text-anchor": anchor });
  made.textContent = words;
  return made;
}

function label(guesses, measured, unit) {
  const said = measured.map(([mode, value]) => `${NAMES[mode]} ${number(value)} ${unit}`);
  return `${guesses.length} guesses; measured: ${said.join(", ") || "nothing yet"}`;
}
