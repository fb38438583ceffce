// A lane's transcript up to the moment shown. What a person typed gets in as text only. No network here.

import { element } from "../class/element.js";
import { NOTES } from "../lines.js";

const SHOWN = 40;

/** Make a transcript in `list`; `show(lines, at_ms)` brings it to that moment. */
export function makeTranscript(list) {
  let end = 0;
  return { show };

  function show(lines, at_ms) {
    const now = lines.total(at_ms);
    if (now === end) return;
    const first = now > end && now - end < SHOWN ? end : Math.max(0, now - SHOWN);
    const made = lines.numbered(first, now).map(line).filter((item) => item !== null);
    if (first === end) list.append(...made);
    else list.replaceChildren(...made);
    while (list.childElementCount > SHOWN) list.firstChild.remove();
    end = now;
  }
}

function line(entry) {
  if (!entry.message) return note(entry);
  const { id, sender, text } = entry.message;
  return element("li", {}, element("span", { className: "id", textContent: `#${id}` }),
    element("b", { textContent: sender, dir: "auto" }), " ", element("bdi", { textContent: text }));
}

function note(entry) {
  const text = NOTES[entry.kind](entry);
  return text === null ? null : element("li", { className: `note ${entry.kind}`, textContent: text });
}
