// The teacher's controls: set, turn it off, break it. What the server refuses is said. No drawing here.

import { element, write } from "../class/element.js";
import { SETTINGS, STARTS } from "../settings.js";

const CUT_S = 3;
const STALL_S = 3;
const SLOW_BYTES_PER_S = 400;

const WHY = "These are the teacher's. The address that python -m demo prints (Teacher: ...) unlocks them.";
const GONE = "The server does not answer; trying again.";

/**
 * Join the controls in `panel` and the lanes' own buttons to `room`; `problem` is what went wrong before, and
 * `release()` when the server has begun anew.
 */
export function makeControls(panel, panels, room, problem = "") {
  const fieldset = panel.querySelector("fieldset");
  const fields = Object.keys(SETTINGS).map((name) => fieldset.elements[name]).filter((field) => field);
  const slow = new Set();

  for (const field of fields) {
    for (const choice of SETTINGS[field.name].choices ?? []) field.append(option(field.name, choice));
    field.addEventListener("change", () => attempt(room.set({ [field.name]: value(field) })));
  }
  fieldset.elements.stall.addEventListener("click", () => Object.values(room.readers).map((reader) => attempt(room.line(reader, { stall_s: STALL_S }))));
  fieldset.elements.restart.addEventListener("click", () => attempt(room.restart()));
  for (const [mode, { node }] of Object.entries(panels)) {
    button(node, "cut").addEventListener("click", () => attempt(room.line(room.readers[mode], { cut_s: CUT_S })));
    button(node, "slow").addEventListener("click", ({ currentTarget }) => toggleSlow(mode, currentTarget));
  }
  room.onState(show);
  show();
  return { release };

  function show() {
    const settings = room.state?.settings ?? STARTS;
    const usable = room.teacher && room.here;
    fieldset.disabled = !usable;
    for (const { node } of Object.values(panels)) for (const each of node.querySelectorAll(".break button")) each.disabled = !usable;
    for (const field of fields) if (document.activeElement !== field || field.disabled) put(field, settings[field.name]);
    write(panel.querySelector(".why"), usable ? problem : room.here || room.state === null ? WHY : GONE);
  }

  // Pressed is what the server has done, and not what it was asked for.
  function toggleSlow(mode, pressed) {
    const on = !slow.has(mode);
    attempt(room.line(room.readers[mode], { slow_bytes_per_s: on ? SLOW_BYTES_PER_S : 0 }).then(() => {
      if (on) slow.add(mode);
      else slow.delete(mode);
      pressed.setAttribute("aria-pressed", on);
    }));
  }

  // A server that begins anew knows of no slow line.
  function release() {
    slow.clear();
    for (const { node } of Object.values(panels)) button(node, "slow").setAttribute("aria-pressed", false);
  }

  // What went wrong is said until something else is tried.
  async function attempt(promise) {
    problem = await promise.then(() => "", (error) => error.message);
    show();
  }
}

function button(node, name) {
  return node.querySelector(`.break [name="${name}"]`);
}

function option(name, choice) {
  return element("option", { value: choice, textContent: SETTINGS[name].words(choice) });
}

function put(field, setting) {
  if (field.type === "checkbox") {
    field.checked = setting;
    return;
  }
  if (![...field.options].some((each) => each.value === String(setting))) field.append(option(field.name, setting));
  field.value = setting;
}

function value(field) {
  if (field.type === "checkbox") return field.checked;
  return typeof STARTS[field.name] === "number" ? Number(field.value) : field.value;
}
