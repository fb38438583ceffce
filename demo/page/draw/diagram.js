// Draw a lane's sequence diagram: time runs down, the page on the left, the server on the right. No network here.
//
// What is tinted is an exchange under way, with a bar on the server's line as long as it is open there: a poll that is
// held, a socket. An answer with news is a full line that ends in a filled mark, an empty one a thin line that ends in
// a hollow mark.

import { outline } from "./marks.js";
import { arrow, cross, lifelines, makeScale, seconds, stroke } from "./strokes.js";
import { drawWaits } from "./waits.js";

const CROWDED_PER_S = 6;  // above this, marks and numbers would cover each other
const SLANT = 0.3;  // of a unit: what a transit takes at least on paper, so that there and back are two lines
const APART = 0.08;  // of a unit: what lies nearer to the one before is not drawn, as nobody could see it

/** Draw what `lane`, a store's lane, had seen at `at_ms`, back to as long before as there is room for. */
export function drawLane(surface, { mode, lane, published, at_ms, px_per_s }) {
  const { context, width, height } = surface;
  const scale = makeScale(surface, at_ms, px_per_s);
  const exchanges = lane.exchanges.between(scale.from_ms, at_ms, 1);
  const deliveries = mode === "ws" ? lane.deliveries.between(scale.from_ms, at_ms) : [];
  const marks = mode === "ws" ? deliveries.length : exchanges.length;
  const scene = { surface, scale, mode, at_ms, crowded: marks > CROWDED_PER_S * (at_ms - scale.from_ms) / 1000 };

  context.clearRect(0, 0, width, height);
  context.save();
  context.beginPath();
  context.rect(0, scale.top, width, height - scale.top);
  context.clip();
  seconds(scene);
  const open = openings(scene, exchanges);
  tint(scene, open);
  lifelines(scene);
  holds(scene, open);
  drawExchanges(scene, apart(scene, exchanges, (exchange) => exchange.ended_ms ?? at_ms));
  drawFrames(scene, apart(scene, deliveries, (delivery) => delivery.at_ms));
  drawWaits(scene, published);
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

// When each exchange is open for the page, and in between for the server.
function openings({ scale, mode, at_ms }, exchanges) {
  return exchanges.flatMap((exchange) => {
    const way_ms = transit(scale, exchange);
    const begin_ms = mode === "ws" ? exchange.opened_ms : leaves(exchange, way_ms);
    if (begin_ms === null || begin_ms > at_ms) return [];
    const over = exchange.ended_ms !== null && exchange.ended_ms <= at_ms;
    const end_ms = over ? exchange.ended_ms : at_ms;
    const from_ms = Math.min(end_ms, begin_ms + (mode === "ws" ? -way_ms : way_ms));
    return [{ begin_ms, from_ms, to_ms: Math.max(from_ms, end_ms - (over ? way_ms : 0)), end_ms }];
  });
}

function tint({ surface: { context, colours }, scale }, open) {
  context.beginPath();
  for (const { begin_ms, from_ms, to_ms, end_ms } of open) {
    context.moveTo(scale.page, scale.y(begin_ms));
    context.lineTo(scale.server, scale.y(from_ms));
    context.lineTo(scale.server, scale.y(to_ms));
    context.lineTo(scale.page, scale.y(end_ms));
  }
  context.globalAlpha = 0.16;
  context.fillStyle = colours.mode;
  context.fill();
  context.globalAlpha = 1;
}

// A bar on the server's line for as long as a question or a socket is open there.
function holds({ surface: { context, colours, unit }, scale }, open) {
  context.beginPath();
  for (const { from_ms, to_ms } of open) {
    const y = scale.y(from_ms);
    if (scale.y(to_ms) - y > unit * APART) context.rect(scale.server - unit * 0.2, y, unit * 0.4, scale.y(to_ms) - y);
  }
  context.fillStyle = colours.mode;
  context.strokeStyle = colours["mode-edge"];
  context.lineWidth = unit * 0.08;
  context.fill();
  context.stroke();
}

// All of a kind in one path: a storm has hundreds of them in every picture.
function drawExchanges(scene, exchanges) {
  const { surface: { colours }, mode, at_ms, crowded } = scene;
  const over = exchanges.filter(({ ended_ms }) => ended_ms !== null && ended_ms <= at_ms);
  const answered = mode === "ws" ? [] : over.filter(({ status }) => status !== 0);
  const news = answered.filter(({ messages }) => messages > 0);
  const empty = answered.filter(({ messages }) => messages === 0);
  const opened = exchanges.filter(({ opened_ms }) => opened_ms !== null && opened_ms <= at_ms);

  stroke(scene, 0.09, () => exchanges.forEach((exchange) => ask(scene, exchange)));
  stroke(scene, 0.08, () => {
    for (const exchange of empty) back(scene, exchange, exchange.ended_ms);
    for (const exchange of opened) back(scene, exchange, exchange.opened_ms);
  });
  stroke(scene, crowded ? 0.08 : 0.17, () => news.forEach((exchange) => back(scene, exchange, exchange.ended_ms)));
  marks(scene, empty.map(({ ended_ms }) => ended_ms), 0.42, colours.paper);
  marks(scene, news.filter(single).map(({ ended_ms }) => ended_ms), 0.42, colours.mode);
  marks(scene, news.filter((each) => !single(each)).map(({ ended_ms }) => ended_ms), 0.58, colours.mode);
  if (!crowded) for (const exchange of news) count(scene, exchange);
  for (const { status, ended_ms } of over) if (status === 0) cross(scene, ended_ms);
}

function single({ messages }) {
  return messages === 1;
}

function drawFrames(scene, deliveries) {
  const { surface: { colours }, crowded } = scene;
  stroke(scene, crowded ? 0.06 : 0.2, () => deliveries.forEach((delivery) => back(scene, delivery, delivery.at_ms)));
  marks(scene, deliveries.map(({ at_ms }) => at_ms), 0.42, colours.mode);
}

function ask(scene, exchange) {
  const way_ms = transit(scene.scale, exchange);
  arrow(scene, leaves(exchange, way_ms), way_ms, true, exchange.status === 0 ? exchange.ended_ms : null);
}

function back(scene, exchange, arrived_ms) {
  const way_ms = transit(scene.scale, exchange);
  arrow(scene, arrived_ms - way_ms, way_ms, false);
}

function marks({ surface: { context, colours, unit }, scale, mode, crowded }, moments_ms, size, fill) {
  if (moments_ms.length === 0) return;
  context.beginPath();
  for (const at_ms of moments_ms) outline(context, mode, scale.page, scale.y(at_ms), unit * (crowded ? 0.24 : size));
  context.fillStyle = fill;
  context.strokeStyle = colours["mode-edge"];
  context.lineWidth = unit * 0.13;
  context.fill();
  context.stroke();
}

function count({ surface: { context, unit, font, colours }, scale }, { messages, ended_ms }) {
  if (messages < 2) return;
  context.fillStyle = colours["on-mode"];
  context.font = `700 ${unit * (messages > 99 ? 0.5 : 0.72)}px ${font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText(messages, scale.page, scale.y(ended_ms) + unit * 0.04);
}

// What came back sooner than two lines have room for is drawn as if it had left earlier.
function leaves({ asked_ms, ended_ms }, way_ms) {
  return Math.min(asked_ms, (ended_ms ?? Infinity) - 2 * way_ms);
}

function transit(scale, { rtt_ms }) {
  return Math.max(rtt_ms / 2, scale.ms(SLANT));
}

function apart({ surface: { unit }, scale }, things, when) {
  let last = -Infinity;
  return things.filter((thing) => {
    const y = scale.y(when(thing));
    if (y - last < unit * APART && thing.status !== 0) return false;
    last = y;
    return true;
  });
}
