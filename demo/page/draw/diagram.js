// Draw a lane's sequence diagram: time runs down, the page on the left, the server on the right. No network here.
//
// What is tinted is an exchange under way: a poll that is held, a socket that is open. An answer with news is a
// full line that ends in a filled mark, an empty one a thin line that ends in a hollow mark.

import { arrow, cross, lifelines, makeScale, seconds } from "./strokes.js";
import { mark } from "./marks.js";

const CROWDED_PER_S = 6;  // above this, marks and numbers would cover each other
const SLANT = 0.3;  // of a unit: what a transit takes at least on paper, so that there and back are two lines

/** Draw what `lane`, a store's lane, had seen at `at_ms`, back to as long before as there is room for. */
export function drawLane(surface, { mode, lane, published, at_ms, px_per_s }) {
  const { context, width, height } = surface;
  const scale = makeScale(surface, at_ms, px_per_s);
  const scene = { surface, scale, mode, at_ms, from_ms: scale.from_ms };
  const exchanges = lane.exchanges.between(scene.from_ms, at_ms, 1);
  const deliveries = lane.deliveries.between(scene.from_ms, at_ms + 0);
  const marks = mode === "ws" ? deliveries.length : exchanges.length;
  scene.crowded = marks > CROWDED_PER_S * (at_ms - scene.from_ms) / 1000;

  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(0, scale.top, width, height - scale.top);
  context.clip();
  seconds(scene);
  for (const exchange of exchanges) tint(scene, exchange);
  lifelines(scene);
  for (const exchange of exchanges) exchangeLines(scene, exchange);
  if (mode === "ws") for (const delivery of deliveries) frame(scene, delivery);
  waits(scene, published.between(scene.from_ms - 60_000, at_ms), lane);
  context.restore();
  names(scene);
}

function names({ surface: { context, colours, unit, font }, scale }) {
  context.font = `${unit * 0.8}px ${font}`;
  context.fillStyle = colours.faint;
  context.textBaseline = "middle";
  context.textAlign = "left";
  context.fillText("this page", scale.page - unit * 0.5, unit * 0.75);
  context.textAlign = "right";
  context.fillText("server", scale.server + unit * 1.2, unit * 0.75);
}

function tint({ surface: { context, colours }, scale, mode, at_ms }, exchange) {
  const asks_ms = transit(scale, exchange);
  const end_ms = Math.min(exchange.ended_ms ?? at_ms, at_ms);
  const begin_ms = mode === "ws" ? exchange.opened_ms : leaves(exchange, asks_ms);
  if (begin_ms === null || begin_ms > at_ms) return;
  const from = scale.y(begin_ms);
  const to = scale.y(end_ms);
  context.beginPath();
  context.moveTo(scale.page, from);
  context.lineTo(scale.server, Math.min(to, scale.y(begin_ms + (mode === "ws" ? -asks_ms : asks_ms))));
  context.lineTo(scale.server, Math.max(from, scale.y(end_ms - (exchange.ended_ms <= at_ms ? asks_ms : 0))));
  context.lineTo(scale.page, to);
  context.globalAlpha = 0.16;
  context.fillStyle = colours.mode;
  context.fill();
  context.globalAlpha = 1;
}

function exchangeLines(scene, exchange) {
  const { surface: { context, colours, unit }, scale, mode, at_ms } = scene;
  const way_ms = transit(scale, exchange);
  context.strokeStyle = colours.mode;
  context.lineWidth = unit * 0.09;
  arrow(scene, leaves(exchange, way_ms), way_ms, true, exchange.status === 0 ? exchange.ended_ms : null);
  if (mode === "ws" && exchange.opened_ms !== null && exchange.opened_ms <= at_ms) {
    arrow(scene, exchange.opened_ms - way_ms, way_ms, false);
  }
  if (exchange.ended_ms === null || exchange.ended_ms > at_ms) return;
  if (exchange.status === 0) cross(scene, exchange.ended_ms);
  else if (mode !== "ws") answer(scene, exchange, way_ms);
}

// What came back sooner than two lines have room for is drawn as if it had left earlier.
function leaves({ asked_ms, ended_ms }, way_ms) {
  return Math.min(asked_ms, (ended_ms ?? Infinity) - 2 * way_ms);
}

function answer(scene, exchange, way_ms) {
  const { surface: { context, colours, unit }, scale } = scene;
  const news = exchange.messages > 0;
  const y = scale.y(exchange.ended_ms);
  context.lineWidth = unit * (news && !scene.crowded ? 0.17 : 0.08);
  arrow(scene, exchange.ended_ms - way_ms, way_ms, false);
  context.lineWidth = unit * 0.13;
  mark(context, scene.mode, scale.page, y, unit * (scene.crowded ? 0.24 : exchange.messages > 1 ? 0.58 : 0.42), news ? colours.mode : colours.paper);
  if (exchange.messages > 1 && !scene.crowded) count(scene, exchange.messages, y);
}

function count({ surface: { context, unit, font, colours }, scale }, messages, y) {
  context.fillStyle = colours["on-mode"];
  context.font = `700 ${unit * (messages > 99 ? 0.5 : 0.72)}px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(messages, scale.page, y + unit * 0.04);
}

function frame(scene, { at_ms, rtt_ms }) {
  const { surface: { context, colours, unit }, scale, crowded } = scene;
  const way_ms = transit(scale, { ended_ms: null, rtt_ms });
  context.strokeStyle = colours.mode;
  context.lineWidth = unit * (crowded ? 0.06 : 0.2);
  arrow(scene, at_ms - way_ms, way_ms, false);
  context.lineWidth = unit * 0.13;
  mark(context, "ws", scale.page, scale.y(at_ms), unit * (crowded ? 0.22 : 0.42), colours.mode);
}

// A message stands on the server's line from its publish until it is fetched: that is the latency.
function waits(scene, messages, lane) {
  const { surface: { context, colours, unit, font }, scale, at_ms, from_ms, crowded } = scene;
  const arrived = new Map(lane.deliveries.between(from_ms - 60_000, at_ms).map((each) => [each.message.id, each.at_ms]));
  const x = scale.server + unit * 0.75;
  let free = -Infinity;
  context.textAlign = "left";
  context.textBaseline = "middle";
  context.font = `${unit * 0.72}px ${font}`;
  for (const message of messages) {
    const gone_ms = arrived.get(message.id);
    const end = scale.y(gone_ms ?? at_ms);
    const y = scale.y(message.at_ms);
    if (end < scale.top) continue;
    context.strokeStyle = colours.ink;
    context.lineWidth = unit * 0.12;
    if (end - y > unit * 0.5) wait(context, x, y, end);
    context.fillStyle = colours.ink;
    context.fillRect(x - unit * 0.3, y - unit * 0.09, unit * 0.6, unit * 0.18);
    if (crowded || y < free) continue;
    context.fillText(`#${message.id}`, x + unit * 0.45, y);
    free = y + unit * 0.85;
  }
}

function wait(context, x, from, to) {
  context.beginPath();
  context.moveTo(x, from);
  context.lineTo(x, to);
  context.stroke();
}

function transit(scale, { rtt_ms }) {
  return Math.max(rtt_ms / 2, scale.ms(SLANT));
}
