// A mode's latencies on one line: half of them, nine tenths, the last, and how unsure the clocks are. No network.

import { svg } from "./element.js";
import { milliseconds } from "./figures.js";

const FROM_MS = 1;
const TO_MS = 10000;
const WIDTH = 320;
const HEIGHT = 40;
const MIDDLE = 15;
const EDGE = 22;  // half of the widest word below

/** Make an empty strip; `draw(figures)` fills it, where figures are those of one mode in GET /class. */
export function makeSpread() {
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "spread", role: "img" });
  return { drawing, draw };

  function draw(figures) {
    const { latency_p50_ms: half, latency_p90_ms: most, latency_max_ms: last } = figures;
    if (label(figures) === drawing.getAttribute("aria-label")) return;
    drawing.replaceChildren(...axis());
    drawing.setAttribute("aria-label", label(figures));
    if (half === null || half === undefined) return;
    const error = figures.clock_error_ms ?? 0;
    drawing.append(
      band(half - error, half + error, 24, "unsure"),
      band(half, last, 3, "last"),
      band(half, most, 12, "most"),
      svg("circle", { cx: place(half), cy: MIDDLE, r: 8, class: "half" }),
    );
  }
}

/** Where a latency stands on the strip: equal steps for equal factors. */
export function place(ms) {
  const within = Math.min(Math.max(ms, FROM_MS), TO_MS);
  return EDGE + (WIDTH - 2 * EDGE) * (Math.log10(within / FROM_MS) / Math.log10(TO_MS / FROM_MS));
}

function band(from_ms, to_ms, height, className) {
  const x = place(from_ms);
  return svg("rect", {
    x, y: MIDDLE - height / 2, width: Math.max(place(to_ms) - x, 1), height, rx: height / 2, class: className,
  });
}

function axis() {
  return [1, 10, 100, 1000, 10000].flatMap((ms) => {
    const words = svg("text", { x: place(ms), y: HEIGHT - 1, class: "tick" });
    words.textContent = milliseconds(ms);
    return [svg("line", { x1: place(ms), x2: place(ms), y1: 2, y2: MIDDLE + 13, class: "grid" }), words];
  });
}

function label({ latency_p50_ms: half, latency_p90_ms: most, latency_max_ms: last, clock_error_ms: error }) {
  return `Half within ${milliseconds(half)}, nine tenths within ${milliseconds(most)}, `
    + `the last ${milliseconds(last)}, clocks unsure by ${milliseconds(error)}`;
}
