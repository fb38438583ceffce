// Predict, then reveal: the class guesses, the run measures, and both stand on one chart.

import { CHATTERS } from "../settings.js";
import { drawDots } from "./dots.js";
import { element, write } from "./element.js";
import { MODES } from "./modes.js";
import { chatterOf, questionsFor } from "./questions.js";
import { makeStages } from "./stages.js";
import { drawVotes } from "./votes.js";

const NARROWEST = 300;

/** Fill a section with the questions, the run and the reveal. */
export function mount(section, room) {
  const stages = makeStages(room);
  const told = element("p", { className: "told", role: "status" });
  const count = element("p", { className: "count" });  // of guesses and of seconds: not spoken, it changes too often
  const charts = element("div", { className: "charts" });
  let drawn = "";
  section.classList.add("guesses");
  section.append(element("h2", { textContent: "Predict, then reveal" }), stages.drawing, told, count, charts);
  room.onState(show);
  new ResizeObserver(() => { if (room.state !== null) show(room.state); }).observe(charts);

  function show(state) {
    stages.show(state);
    write(told, tell(state));
    write(count, counted(state));
    const width = Math.max(charts.clientWidth, NARROWEST);
    const { stage, interval_s, chatter } = state.settings;
    const now = JSON.stringify([stage, interval_s, chatter, state.guesses, state.run?.result, width]);
    if (now === drawn) return;
    drawn = now;
    charts.replaceChildren(...questionsFor(state.settings).map((question) => figure(question, state, width)));
  }
}

function tell({ settings, run }) {
  if (settings.stage === "guess") return "Guess on your phone.";
  if (settings.stage === "run" && run && !run.result && run.left_s === 0) return "The run is over; the last messages and reports are on their way.";
  if (settings.stage === "run" && run && !run.result) return `Measuring, chatter ${CHATTERS[run.chatter] ?? ""}.`;
  if (settings.stage === "run" && run) return `Measured${blamed(run)}.`;
  if (settings.stage === "reveal") return run?.result ? `What was guessed, and what was measured${blamed(run)}.` : "Nothing has been measured yet.";
  return `The next run will be with chatter ${CHATTERS[chatterOf(settings)]}.`;
}

function counted({ settings, guesses, run }) {
  const left = settings.stage === "run" && run && !run.result ? `${Math.ceil(run.left_s)} s left. ` : "";
  const given = guesses.count === 1 ? "One guess is in." : `${guesses.count} guesses are in.`;
  return settings.stage === "chat" ? "" : `${left}${given}`;
}

function blamed({ faults }) {
  return faults?.length ? ` (but ${faults.join(", and ")})` : "";
}

// Before the reveal the answers stay with the server, so that nobody guesses what others guessed.
function figure(question, state, width) {
  const revealed = state.settings.stage === "reveal";
  const caption = element("figcaption", {}, element("strong", { textContent: revealed ? question.title : question.ask }));
  if (!revealed) return element("figure", { className: "question" }, caption);
  const guesses = (state.guesses.answers ?? []).map((answers) => answers[question.name]).filter((guess) => guess !== null);
  const measured = measuredOf(question, state.run?.result ?? {});
  const draw = question.modes ? drawVotes : drawDots;
  return element("figure", { className: "chart" }, caption, draw({ guesses, measured, unit: question.unit, width }));
}

function measuredOf(question, result) {
  return Object.fromEntries(MODES.map((mode) => [mode, question.measured(result, mode)]));
}
