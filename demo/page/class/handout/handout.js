// The handout: what the modes do, what theory says for the class's settings, what the class measured. It changes nothing.

import { element } from "../element.js";
import { bytes, milliseconds, number, share } from "../figures.js";
import { MODES, NAMES, title } from "../modes.js";
import { chatterOf, RATES } from "../questions.js";
import { openRoom } from "../room.js";
import { sketch } from "./sketch.js";
import { theoryOf } from "./theory.js";

const ROWS = [
  { name: "requests of one reader in a minute", theory: (says) => number(says.requests_per_s * 60), key: "requests_per_reader_minute", say: number },
  { name: "empty answers", theory: (says) => share(says.empty_share), key: "empty_share", say: share },
  { name: "how late a message is, on average", theory: (says) => milliseconds(says.latency_s * 1000), key: "latency_mean_ms", say: milliseconds },
  { name: "bytes for each message", theory: () => "", key: "bytes_per_delivery", say: bytes },
];

const place = (id) => document.getElementById(id);
const room = openRoom({ polling: false });

place("print").addEventListener("click", () => print());
place("sketches").append(...MODES.map((mode) => element("figure", { data: { mode } },
  element("figcaption", {}, title(mode)), sketch(mode, NAMES[mode]))));
await room.ready;
if (room.state !== null) fill(room.state);
document.body.dataset.ready = "";

// What was measured stands beside theory for the settings that it was measured under, and not for today's.
function fill({ settings, run }) {
  const under = run?.result ? run.settings : settings;
  const rate = RATES[run?.result ? run.chatter : chatterOf(settings)];
  place("settings").textContent = told(under, rate);
  place("measured").textContent = run?.result ? `What the class measured in ${number(run.seconds)} s is filled in.`
    : "Nothing has been measured yet: fill it in by hand.";
  const says = theoryOf(under, rate);
  document.querySelector("#figures tbody").replaceChildren(...ROWS.flatMap((row) => lines(row, says, run?.result)));
}

function told({ interval_s, hold_s, rtt_ms, keepalive, hold }, rate) {
  return `Interval ${number(interval_s)} s, hold ${hold ? `${number(hold_s)} s` : "off"}, ${keepalive ? "" : "keep-alive off, "}`
    + `${number(rate)} messages a second, round trip ${milliseconds(rtt_ms)} and what your network adds.`;
}

function lines({ name, theory, key, say }, says, result) {
  return MODES.map((mode, index) => {
    const measured = result?.[mode]?.[key];
    const cells = [title(mode), "", theory(says[mode]), measured === undefined || measured === null ? "" : say(measured)]
      .map((content) => element("td", {}, content));
    const head = element("th", { scope: "rowgroup", rowSpan: MODES.length, textContent: name });
    return element("tr", {}, ...(index === 0 ? [head] : []), ...cells);
  });
}
