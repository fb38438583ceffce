// A lane's counters at the moment shown, and what they would be for a thousand users. No network here.

import { element, write } from "../class/element.js";
import { bytes, milliseconds, number } from "../class/figures.js";

const USERS = 1000;
const OVER_MS = 10_000;
const LEAST_S = 3;  // less is no rate

const SEEN = "the server's count for this reader: heads and frames included, which a page cannot see";

const REPEATED = "what this page asked, and what the browser asked again by itself when a connection broke";

const FIGURES = [
  { name: "requests", title: REPEATED, of: ({ requests }) => requests.toLocaleString("en") },
  { name: "empty", of: ({ empty }) => empty.toLocaleString("en") },
  { name: "messages", of: ({ messages }) => messages.toLocaleString("en") },
  { name: "missing", of: ({ missing }) => missing.toLocaleString("en"), alarm: ({ missing }) => missing > 0 },
  { name: "mean latency", of: ({ timed, latency_sum_ms }) => milliseconds(timed ? latency_sum_ms / timed : null) },
  { name: "last latency", of: ({ latency_last_ms }) => milliseconds(latency_last_ms) },
  { name: "bytes up", title: SEEN, of: ({ tally }) => bytes(tally?.bytes_in) },
  { name: "bytes down", title: SEEN, of: ({ tally }) => bytes(tally?.bytes_out) },
];

/** Fill `list` and `line`; `show(counters, at_ms, began_ms)` takes a function of time that gives a lane's counters. */
export function makeCounters(list, line) {
  const fields = FIGURES.map((figure) => {
    const value = element("dd", { textContent: "0" });
    const box = element("div", { title: figure.title ?? "" }, element("dt", { textContent: figure.name }), value);
    list.append(box);
    return { ...figure, value, box };
  });
  return { show };

  function show(counters, at_ms, began_ms) {
    const now = counters(at_ms);
    for (const { of, alarm, value, box } of fields) {
      write(value, of(now));
      box.classList.toggle("alarm", alarm?.(now) === true);
    }
    const then_ms = Math.max(at_ms - OVER_MS, began_ms);
    write(line, thousand(counters(then_ms), now, (at_ms - then_ms) / 1000));
  }
}

/** What `USERS` readers like this one would ask of the server, from two moments of its counters. */
function thousand(then, now, seconds) {
  const requests = seconds >= LEAST_S ? (now.requests - then.requests) / seconds * USERS : null;
  const known = now.tally && then.tally && now.tally.at_ms > then.tally.at_ms;
  const rate = known ? bytesOf(now.tally, then.tally) * USERS : null;
  return `1,000 users: ${number(requests)} requests/s${rate === null ? "" : `, ${bytes(rate)}/s`}`;
}

function bytesOf(now, then) {
  const moved = now.bytes_in + now.bytes_out - then.bytes_in - then.bytes_out;
  return moved / ((now.at_ms - then.at_ms) / 1000);
}
