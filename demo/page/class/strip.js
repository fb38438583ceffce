// The last ten seconds of one lane as a strip: questions as bars, empty answers hollow, news filled. No network.

import { makeSurface } from "../draw/canvas.js";
import { outline } from "../draw/marks.js";

const SHOWN_MS = 10_000;
const PICTURE_MS = 28;  // between two drawings: every other frame of most screens, which spares a phone half the work
const STILL_MS = 1000;  // the same where motion is unwelcome
const RADIUS = 6;
const MANY = 2000;  // events: more are not kept undrawn, as they would be while the page is hidden

/** Draw a lane's events on a canvas; `hear(event)` takes them, `clear(mode)` forgets them and begins with another mode. */
export function makeStrip(canvas) {
  const surface = makeSurface(canvas);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let exchanges = [];
  let arrivals = [];
  let mode = "short";
  let drawn_ms = -Infinity;
  requestAnimationFrame(frame);
  return { hear, clear };

  function hear({ kind, at_ms, exchange }) {
    if (kind === "asked") exchanges.push(exchange);
    if (kind === "delivered") arrivals.push(at_ms);
    if (exchanges.length + arrivals.length > MANY) forget(at_ms - SHOWN_MS);
  }

  function forget(before_ms) {
    exchanges = exchanges.filter((each) => each.ended_ms === null || each.ended_ms > before_ms);
    arrivals = arrivals.filter((at_ms) => at_ms > before_ms);
  }

  function clear(next) {
    [exchanges, arrivals, mode] = [[], [], next];
  }

  function frame(now_ms) {
    requestAnimationFrame(frame);
    if (surface.width === 0 || now_ms - drawn_ms < (still.matches ? STILL_MS : PICTURE_MS)) return;
    drawn_ms = now_ms;
    draw(now_ms);
  }

  // All of a kind in one path: a storm has hundreds of them in every picture.
  function draw(now_ms) {
    const from_ms = now_ms - SHOWN_MS;
    forget(from_ms);
    const { context, width, height, colours } = surface;
    const place = (ms) => ((ms - from_ms) / SHOWN_MS) * (width - 10);
    const over = exchanges.filter((each) => each.ended_ms !== null);
    const y = height * 0.7;
    context.clearRect(0, 0, width, height);
    bars(surface, exchanges.filter((each) => each.ended_ms === null), place, now_ms, 1);
    bars(surface, over, place, now_ms, 0.55);
    dots(surface, mode, over.filter((each) => each.messages === 0).map((each) => place(each.ended_ms)), y, colours.raised);
    dots(surface, mode, over.filter((each) => each.messages > 0).map((each) => place(each.ended_ms)), y, colours.mode);
    dots(surface, mode, arrivals.map(place), height * 0.3, colours.mode);
  }
}

// One question: as long as it was open.
function bars({ context, height, colours }, exchanges, place, now_ms, strength) {
  context.beginPath();
  for (const { asked_ms, ended_ms } of exchanges) {
    const [from, to] = [place(asked_ms), place(ended_ms ?? now_ms)];
    context.rect(from, height * 0.7 - 3, Math.max(to - from, 2), 6);
  }
  context.globalAlpha = strength;
  context.fillStyle = colours.mode;
  context.fill();
  context.globalAlpha = 1;
  context.strokeStyle = colours["mode-edge"];
  context.lineWidth = 1;
  context.stroke();
}

// An empty answer ends in a ring, one with news in a dot.
function dots({ context, colours }, mode, places, y, fill) {
  context.beginPath();
  for (const x of places) outline(context, mode, x, y, RADIUS);
  context.fillStyle = fill;
  context.strokeStyle = colours["mode-edge"];
  context.lineWidth = 2;
  context.fill();
  context.stroke();
}
