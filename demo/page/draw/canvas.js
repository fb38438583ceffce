// A canvas that is as sharp as the screen, and the page's colours to draw with. Nothing is drawn here.

const COLOURS = ["ink", "faint", "paper", "line", "raised", "mode", "mode-edge", "on-mode"];

/** Make `canvas` follow its size on the page; returns what a drawing needs, measured anew when it changes. */
export function makeSurface(canvas) {
  const surface = { context: canvas.getContext("2d"), width: 0, height: 0, unit: 16, colours: {}, font: "", changes: 0 };
  const measure = () => {
    const ratio = devicePixelRatio;
    Object.assign(surface, { width: canvas.clientWidth, height: canvas.clientHeight });
    canvas.width = Math.round(surface.width * ratio);
    canvas.height = Math.round(surface.height * ratio);
    surface.context.setTransform(ratio, 0, 0, ratio, 0, 0);
    Object.assign(surface, look(canvas));
    surface.changes += 1;
  };
  new ResizeObserver(measure).observe(canvas);
  const scheme = matchMedia("(prefers-color-scheme: dark)");
  scheme.addEventListener("change", measure);
  addEventListener("themechange", measure);
  return surface;
}

// Only a colour that is used is a colour that is computed: light or dark, the browser decides.
function look(canvas) {
  const probe = canvas.parentElement.appendChild(document.createElement("i"));
  const colours = {};
  for (const name of COLOURS) {
    probe.style.color = `var(--${name})`;
    colours[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  const { fontSize, fontFamily } = getComputedStyle(canvas);
  return { colours, unit: parseFloat(fontSize), font: fontFamily };
}
