// The marks of the modes: a shape each, since colour alone is not for everyone. Nothing is filled here.

const SHAPES = {
  short(context, x, y, r) {
    context.moveTo(x + r, y);
    context.arc(x, y, r, 0, 2 * Math.PI);
  },
  long(context, x, y, r) { context.rect(x - r * 0.9, y - r * 0.9, r * 1.8, r * 1.8); },
  ws(context, x, y, r) {
    context.moveTo(x, y - r * 1.25);
    context.lineTo(x + r * 1.25, y);
    context.lineTo(x, y + r * 1.25);
    context.lineTo(x - r * 1.25, y);
    context.closePath();
  },
};

/** Add a mode's mark at (x, y) to the present path. */
export function outline(context, mode, x, y, r) {
  SHAPES[mode](context, x, y, r);
}

/** A mode's mark as SVG path data around the origin. */
export function markPath(mode, r) {
  if (mode === "short") return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
  if (mode === "long") return `M${-r * 0.9} ${-r * 0.9}h${1.8 * r}v${1.8 * r}h${-1.8 * r}Z`;
  return `M0 ${-1.25 * r}L${1.25 * r} 0L0 ${1.25 * r}L${-1.25 * r} 0Z`;
}
