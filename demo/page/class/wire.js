// What happens, byte by byte: one exchange in each mode, taken apart step by step. It decodes nothing itself.

import { drawPart } from "./bytes.js";
import { element } from "./element.js";
import { exchange } from "./exchange.js";
import { MODES, title } from "./modes.js";
import { costOf, partsOf } from "./parts.js";

const HELLO = "Choose what to send: the page does it, and shows every byte that went over the connection; "
  + "of a cookie's or a login's value only how long it is.";

/** Fill a section with the wire's view. */
export function mount(section, room) {
  let mode = "short";
  let fields = [];
  let at = 0;
  let busy = false;

  const choices = MODES.map((each) => element("button", {
    type: "button", data: { mode: each }, onclick: () => look(true, each),
  }, title(each)));
  const again = [
    element("button", { type: "button", textContent: "Bring one message", onclick: () => look(true) }),
    element("button", { type: "button", textContent: "Nothing new", onclick: () => look(false) }),
  ];
  const parts = element("div", { className: "parts" });
  const back = element("button", { type: "button", textContent: "Back", onclick: () => step(-1) });
  const next = element("button", { type: "button", textContent: "Next", onclick: () => step(1) });
  const told = element("div", { className: "told", "aria-live": "polite" });
  const cost = element("p", { className: "cost" });
  const explained = element("div", { className: "explained" }, told, element("div", { className: "steps" }, back, next));

  section.classList.add("wire");
  section.append(
    element("h2", { textContent: "What goes over the wire" }),
    element("div", { className: "choices", role: "group", "aria-label": "Mode" }, ...choices),
    element("div", { className: "choices", role: "group", "aria-label": "What to send" }, ...again),
    cost, element("div", { className: "columns" }, parts, explained),
  );
  section.addEventListener("keydown", keys);
  told.textContent = HELLO;
  mark();

  async function look(news, wanted = mode) {
    if (busy) return;
    busy = true;
    mode = wanted;
    mark();
    try {
      show(partsOf(mode, await exchange(room, mode, { news }), news), news);
    } catch (error) {
      told.textContent = `It did not work: ${error.message}`;
    }
    busy = false;
    mark();
  }

  function mark() {
    section.dataset.mode = mode;
    for (const button of choices) button.setAttribute("aria-pressed", button.dataset.mode === mode);
    for (const button of [...choices, ...again]) disable(button, busy);
    disable(back, at === 0);
    disable(next, at >= fields.length - 1);
  }

  function show(found, news) {
    fields = found.flatMap((part) => part.fields);
    parts.replaceChildren(...found.map((part) => drawPart(part, (field) => choose(fields.indexOf(field)))));
    cost.replaceChildren(...bill(mode, found, news));
    if (fields.length === 0) told.textContent = "The server kept no bytes of it. Try again.";
    else choose(0);
  }

  function step(by) {
    if (fields.length === 0) return;
    choose(Math.min(Math.max(at + by, 0), fields.length - 1));
    fields[at].button.scrollIntoView({ block: "nearest" });
  }

  function choose(index) {
    fields[at]?.button.removeAttribute("aria-current");
    at = index;
    const field = fields[at];
    field.button.setAttribute("aria-current", "step");
    told.replaceChildren(...words(field, at, fields.length));
    mark();
  }

  function keys(event) {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    if (by === undefined || fields.length === 0) return;
    event.preventDefault();
    step(by);
  }
}

// Not `disabled`: that would take the focus away, and the next key with it.
function disable(button, is) {
  button.setAttribute("aria-disabled", is);
}

function words(field, at, count) {
  return [
    element("p", { className: "place", textContent: `Step ${at + 1} of ${count}, ${field.end - field.start} bytes` }),
    element("h3", { textContent: field.name }),
    field.bits ? element("p", { className: "bits", textContent: field.bits }) : null,
    element("p", { textContent: field.says }),
    field.list?.length ? element("ol", {}, ...field.list.map((each) => element("li", { textContent: each }))) : null,
  ].filter((each) => each !== null);
}

function bill(mode, parts, news) {
  const { news: wanted, rest, all } = costOf(mode === "ws" && news ? parts.slice(-1) : parts);
  const bar = element("span", { className: "bar", role: "presentation" },
    element("span", { className: "rest", textContent: "" }), element("span", { className: "news", textContent: "" }));
  bar.firstChild.style.flexGrow = rest;
  bar.lastChild.style.flexGrow = wanted;
  return [element("span", { textContent: sentence(mode, { wanted, rest, all, news }) }), bar];
}

function sentence(mode, { wanted, rest, all, news }) {
  if (mode === "ws" && news) {
    return `Once open, a message costs ${all} bytes: ${wanted} of news and ${rest} around it. The upgrade is paid once.`;
  }
  if (mode === "ws") return `Opening cost ${all} bytes, once. While there is nothing new, nothing is sent: 0 bytes.`;
  if (wanted === 0) return `${all} bytes, only to hear that there is nothing new.`;
  return `${all} bytes: ${wanted} of news and ${rest} around it, for every question again.`;
}
