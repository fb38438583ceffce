// The last ten seconds of one lane as a strip: questions as bars, empty answers hollow, news filled. No network.

import { outline } from "../draw/marks.js";

const SHOWN_MS = 10_000;
const STILL_MS = 1000;  // between two drawings where motion is unwelcome

/** Draw a lane's events on a canvas; `hear(event)` takes them, `clear()` forgets them. */
export function makeStrip(canvas) {
  let exchanges = [];
  let arrivals = [];
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let drawn_ms = 0;
  requestAnimationFrame(frame);
  return { hear, clear };

  function hear({ kind, at_ms, exchange }) {
    if (kind === "asked") exchanges.push(exchange);
    if (kind === "delivered") arrivals.push(at_ms);
  }

  function clear() {
    [exchanges, arrivals] = [[], []];
  }

  function frame(now_ms) {
    if (!still.matches || now_ms - drawn_ms > STILL_MS) draw(now_ms);
    requestAnimationFrame(frame);
  }

  function draw(now_ms) {
    drawn_ms = now_ms;
    const from_ms = now_ms - SHOWN_MS;
    exchanges = exchanges.filter((each) => each.ended_ms === null || each.ended_ms > from_ms);
    arrivals = arrivals.filter((at_ms) => at_ms > from_ms);
    const pen = prepare(canvas);
    const place = (ms) => ((ms - from_ms) / SHOWN_MS) * (pen.width - 10);
    for (const exchange of exchanges) bar(pen, exchange, place, now_ms);
    for (const at_ms of arrivals) dot(pen, place(at_ms), pen.height * 0.3, 6, true);
  }
}

function prepare(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  const style = getComputedStyle(canvas);
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height, colour: style.color, mode: document.body.dataset.mode, paper: style.backgroundColor };
}

// One question: as long as it was open. An empty answer ends in a ring, one with news in a dot.
function bar(pen, exchange, place, now_ms) {
  const { context, height, colour } = pen;
  const [from, to] = [place(exchange.asked_ms), place(exchange.ended_ms ?? now_ms)];
  const y = height * 0.7;
  context.fillStyle = colour;
  context.globalAlpha = exchange.ended_ms === null ? 1 : 0.55;
  context.fillRect(from, y - 3, Math.max(to - from, 2), 6);
  context.globalAlpha = 1;
  if (exchange.ended_ms !== null) dot(pen, to, y, 6, exchange.messages > 0);
}

function dot({ context, mode, colour, paper }, x, y, radius, filled) {
  context.strokeStyle = colour;
  context.lineWidth = 2;
  context.fillStyle = filled ? colour : paper;
  context.beginPath();
  outline(context, mode, x, y, radius);
  context.fill();
  context.stroke();
}
