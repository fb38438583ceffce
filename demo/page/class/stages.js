// The four stages of a prediction, and the teacher's buttons for them. It draws no chart.

import { CHATTERS } from "../settings.js";
import { element, write } from "./element.js";
import { chatterOf } from "./questions.js";

const STAGES = { chat: "Chat", guess: "Guess", run: "Run", reveal: "Reveal" };
const SECONDS = [10, 20, 30, 60, 120];
const FIRST = 30;
const WHY = "Only the teacher's page can change this: open the address that the server printed after “Teacher:”.";

/** Make the row of stages; `show(state)` brings it up to date. */
export function makeStages(room) {
  const said = element("p", { className: "note", role: "status" });
  const steps = Object.keys(STAGES).map((stage, index) => element("button", {
    type: "button", data: { stage }, textContent: `${index + 1} ${STAGES[stage]}`, onclick: () => go(stage),
  }));
  const chatter = choice("Chatter", Object.entries(CHATTERS).slice(1));
  const seconds = choice("Seconds", SECONDS.map((each) => [String(each), String(each)]));
  seconds.field.value = String(FIRST);
  chatter.field.onchange = () => attempt(room.set({ chatter: chatter.field.value }));
  const controls = element("fieldset", { className: "stages" },
    element("legend", { className: "unseen", textContent: "Stages of a prediction" }),
    element("div", { className: "choices" }, ...steps), chatter.label, seconds.label);
  return { drawing: element("div", {}, controls, said), show };

  function show({ settings, run }) {
    controls.disabled = !room.teacher;
    if (document.activeElement !== chatter.field) chatter.field.value = chatterOf(settings);
    for (const step of steps) mark(step, settings.stage, run);
    if (!room.teacher) write(said, WHY);
    else if (said.textContent === WHY) said.textContent = "";
  }

  function go(stage) {
    const run = () => room.run(Number(seconds.field.value), chatter.field.value);
    attempt(stage === "run" ? run() : room.set({ stage }));  // a run begins its stage itself
  }

  async function attempt(change) {
    try {
      await change;
      said.textContent = "";
      await room.refresh();
    } catch (error) {
      said.textContent = `Not done: ${error.message}`;
    }
  }
}

function mark(step, stage, run) {
  if (step.dataset.stage === stage) step.setAttribute("aria-current", "step");
  else step.removeAttribute("aria-current");
  step.classList.toggle("next", step.dataset.stage === "reveal" && stage === "run" && Boolean(run?.result));
}

function choice(title, options) {
  const field = element("select", { "aria-label": title }, ...options.map(([value, words]) => element("option", { value, textContent: words })));
  return { field, label: element("label", {}, `${title} `, field) };
}
