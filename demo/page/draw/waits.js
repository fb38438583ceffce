// Draw the messages beside the server's line: each stands there from its publish until it is fetched, and
// that is its latency. No network here.

const LONGEST_MS = 20_000;  // before the picture's first moment: what has waited longer is drawn no more
const APART = 0.08;  // of a unit, as in the diagram

/** Draw those of `published` that are in the scene's time, each as long as the scene's lane was without it. */
export function drawWaits({ surface: { context, colours, unit, font }, scale, mode, at_ms, crowded }, published) {
  const x = scale.server + unit * 0.75;
  const labels = [];
  let free = -Infinity;
  let last = -Infinity;
  context.beginPath();
  for (const message of published.between(scale.from_ms - LONGEST_MS, at_ms)) {
    const y = scale.y(message.at_ms);
    const end = scale.y(Math.min(message.arrivals[mode] ?? at_ms, at_ms));
    if (end < scale.top || (y > scale.top && y - last < unit * APART)) continue;
    last = y;
    if (end - y > unit * 0.5) line(context, x, Math.max(y, 0), x, end);
    line(context, x - unit * 0.3, y, x + unit * 0.3, y);
    if (crowded || y < free) continue;
    labels.push([`#${message.id}`, y]);
    free = y + unit * 0.85;
  }
  context.strokeStyle = colours.ink;
  context.lineWidth = unit * 0.13;
  context.stroke();
  write(context, labels, x + unit * 0.45, colours.ink, `${unit * 0.72}px ${font}`);
}

function line(context, x, y, to_x, to_y) {
  context.moveTo(x, y);
  context.lineTo(to_x, to_y);
}

function write(context, labels, x, colour, font) {
  context.fillStyle = colour;
  context.font = font;
  context.textAlign = "left";
  context.textBaseline = "middle";
  for (const [text, y] of labels) context.fillText(text, x, y);
}
