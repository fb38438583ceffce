// The class at a glance: who reads how, what it costs, how late the news is. It asks nothing itself.

import { element, write } from "./element.js";
import { bytes, milliseconds, number, share } from "./figures.js";
import { makeInvitation } from "./invitation.js";
import { MODES, title } from "./modes.js";
import { makeSpread } from "./spread.js";

const COLUMNS = [
  { key: "requests_per_s", title: "Requests/s", say: number },
  { key: "messages_per_s", title: "Messages/s", say: number },
  { key: "bytes_per_s", title: "Bytes/s", say: bytes },
  { key: "empty_share", title: "Empty answers", say: share, most: 1 },
];
const DOTS = 300;
const LATE = "Latency is from publishing at the server to the phone. A phone's clock is set by the server's "
  + "round trips; the pale band is how far off that may be.";

/** Fill a section with the class's overview. */
export function mount(section, room) {
  const invitation = makeInvitation();
  const rows = MODES.map(makeRow);
  const total = element("p", { className: "total" });
  const head = ["Mode", "Readers", ...COLUMNS.map((column) => column.title), "Latency"];

  section.classList.add("overview");
  section.append(
    element("h2", { textContent: "The class" }), invitation.drawing, total,
    element("table", {},
      element("thead", {}, element("tr", {}, ...head.map((title) => element("th", { scope: "col", textContent: title })))),
      element("tbody", {}, ...rows.map((row) => row.line))),
    element("p", { className: "note", textContent: LATE }),
  );
  room.onState(show);

  function show(state) {
    invitation.show(state.join_url);
    const figures = MODES.map((mode) => state.modes[mode]);
    const readers = figures.reduce((sum, each) => sum + each.readers, 0);
    write(total, room.here ? there(readers, state.uncounted) : "The server does not answer; trying again.");
    const most = Object.fromEntries(COLUMNS.map(({ key, most: fixed }) => [key, fixed ?? Math.max(...figures.map((each) => each[key] ?? 0))]));
    rows.forEach((row, index) => row.show(figures[index], most));
  }
}

function there(readers, uncounted) {
  const here = readers === 0 ? "Nobody is here yet." : readers === 1 ? "One reader is here." : `${readers} readers are here.`;
  return uncounted ? `${here} Not counted, for want of room: ${number(uncounted)} requests.` : here;
}

function makeRow(mode) {
  const dots = element("span", { className: "dots", "aria-hidden": "true" });
  const count = element("span", { className: "figure" });
  const cells = COLUMNS.map(({ title }) => makeCell(title));
  const spread = makeSpread();
  const late = element("span", { className: "late" });
  const line = element("tr", { data: { mode } },
    element("th", { scope: "row" }, title(mode)),
    element("td", { data: { title: "Readers" } }, count, dots),
    ...cells.map((cell) => cell.cell),
    element("td", { data: { title: "Latency" } }, spread.drawing, late));
  return { line, show };

  function show(figures, most) {
    write(count, String(figures.readers));
    dot(dots, Math.min(figures.readers, DOTS));
    COLUMNS.forEach(({ key, say }, index) => cells[index].show(figures[key], most[key], say));
    spread.draw(figures);
    write(late, summary(figures));
  }
}

function makeCell(title) {
  const figure = element("span", { className: "figure" });
  const bar = element("span", { className: "bar", "aria-hidden": "true" });
  return { cell: element("td", { data: { title } }, figure, bar), show };

  function show(value, most, say) {
    write(figure, say(value));
    bar.style.inlineSize = value && most ? `${(100 * value) / most}%` : "0";
  }
}

function dot(place, count) {
  while (place.children.length < count) place.append(element("i"));
  while (place.children.length > count) place.lastChild.remove();
}

function summary({ latency_p50_ms: half, latency_max_ms: last, clock_error_ms: error }) {
  if (half === null || half === undefined) return "not yet known";
  return `half within ${milliseconds(half)}, all within ${milliseconds(last)}, clocks ±${milliseconds(error)}`;
}
