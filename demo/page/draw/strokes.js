// Strokes of a sequence diagram: the scale of time, lifelines, arrows, crosses. No network here.

const EDGE_PX = 0.8;

/** Where things lie: `y(ms)` and `ms(units)` for time, `page` and `server` for the two lifelines. */
export function makeScale({ width, height, unit }, at_ms, px_per_s) {
  const top = unit * 1.5;
  const bottom = height - unit * 0.7;
  const px_per_ms = px_per_s / 1000;
  return {
    top, bottom,
    page: unit * 1.1,
    server: width - unit * 3.6,
    from_ms: at_ms - (bottom - top + unit) / px_per_ms,
    y: (ms) => bottom - (at_ms - ms) * px_per_ms,
    ms: (units) => units * unit / px_per_ms,
  };
}

/** A faint line for each second (in slow motion, each tenth) of the page's clock: they move, and show that time does. */
export function seconds({ surface: { context, colours, unit, width }, scale, at_ms }) {
  const every_ms = scale.ms(1) > 40 ? 1000 : 100;
  context.strokeStyle = colours.line;
  context.lineWidth = 1;
  context.beginPath();
  for (let ms = Math.ceil(scale.from_ms / every_ms) * every_ms; ms <= at_ms; ms += every_ms) {
    const y = Math.round(scale.y(ms)) + 0.5;
    context.moveTo(scale.page, y);
    context.lineTo(width - unit * 0.2, y);
  }
  context.stroke();
}

/** The page's line and the server's, from the top to the moment shown. */
export function lifelines({ surface: { context, colours, unit }, scale }) {
  context.strokeStyle = colours.faint;
  context.lineWidth = unit * 0.12;
  context.beginPath();
  for (const x of [scale.page, scale.server]) {
    context.moveTo(x, scale.top);
    context.lineTo(x, scale.bottom);
  }
  context.stroke();
}

/** Draw all that `trace` adds to one path, `width` units wide: in the mode's colour between its edges, or all edge if thin. */
export function stroke({ surface: { context, colours, unit } }, width, trace) {
  context.beginPath();
  trace();
  line(context, colours["mode-edge"], unit * width);
  const inner_px = unit * width - 2 * EDGE_PX;
  if (inner_px > EDGE_PX && colours.mode !== colours["mode-edge"]) line(context, colours.mode, inner_px);
}

function line(context, colour, width_px) {
  context.strokeStyle = colour;
  context.lineWidth = width_px;
  context.stroke();
}

/** Add an arrow that leaves at `from_ms` and takes `way_ms`, as far as it has come by the moment shown. */
export function arrow({ surface: { context, unit }, scale, at_ms }, from_ms, way_ms, up, ended_ms = null) {
  const share = Math.min(1, (Math.min(at_ms, ended_ms ?? at_ms) - from_ms) / way_ms);
  if (share <= 0) return;
  const [from, to] = up ? [scale.page, scale.server] : [scale.server, scale.page];
  const x = from + (to - from) * share;
  const y = scale.y(from_ms + way_ms * share);
  context.moveTo(from, scale.y(from_ms));
  context.lineTo(x, y);
  if (up) head(context, x, y, unit * 0.45);
}

function head(context, x, y, size) {
  context.moveTo(x - size, y - size * 0.6);
  context.lineTo(x, y);
  context.lineTo(x - size, y + size * 0.6);
}

/** The connection broke: a cross on the page's line. */
export function cross({ surface: { context, colours, unit }, scale }, at_ms) {
  const y = scale.y(at_ms);
  const r = unit * 0.42;
  context.strokeStyle = colours.ink;
  context.lineWidth = unit * 0.2;
  context.beginPath();
  context.moveTo(scale.page - r, y - r);
  context.lineTo(scale.page + r, y + r);
  context.moveTo(scale.page + r, y - r);
  context.lineTo(scale.page - r, y + r);
  context.stroke();
}
