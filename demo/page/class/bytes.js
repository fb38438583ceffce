// Draw the bytes of an exchange: lines of HTTP as text, frames as cells. No network, and it decodes nothing.

import { hex } from "./decode/accept.js";
import { textOf } from "./decode/text.js";
import { element } from "./element.js";

const CELLS = 160;  // of a long payload, the rest is told as a number

/** Draw a part; `choose(field)` is called when a field is picked. */
export function drawPart(part, choose) {
  const arrow = part.way === "up" ? "browser → server" : "server → browser";
  const heading = element("h3", {},
    element("span", { className: "way", textContent: arrow }), ` ${part.title} `,
    element("span", { className: "count", textContent: `${part.bytes.length} bytes` }));
  const fields = part.fields.map((field) => drawField(part, field, choose));
  return element("div", { className: `part ${part.kind}`, data: { way: part.way } }, heading,
    element("div", { className: "fields" }, ...fields));
}

function drawField(part, field, choose) {
  const bytes = part.bytes.slice(field.start, field.end);
  const button = element("button", { type: "button", className: "field", onclick: () => choose(field) });
  // A line is heard as it was sent; cells would be heard digit by digit.
  if (part.kind === "frame") button.setAttribute("aria-label", `${field.name}, ${bytes.length} bytes`);
  button.append(...(part.kind === "http" ? line(bytes) : cells(bytes)));
  if (field.payload) button.classList.add("payload");
  field.button = button;
  return button;
}

function line(bytes) {
  const ended = bytes.endsWith("\r\n");
  const text = textOf(ended ? bytes.slice(0, -2) : bytes);
  return [element("span", { textContent: text }), ended ? element("i", { textContent: "\\r\\n" }) : ""];
}

function cells(bytes) {
  const shown = Array.from(bytes.slice(0, CELLS), (character) => element("span", { className: "cell" },
    element("b", { textContent: hex(character) }),
    element("i", { textContent: character >= " " && character <= "~" ? character : "·" })));
  const rest = bytes.length - shown.length;
  return rest > 0 ? [...shown, element("span", { textContent: `and ${rest} more` })] : shown;
}
