// The form that takes a guess before a run. What it sends can be changed until the reveal.

import { element } from "./element.js";
import { title } from "./modes.js";
import { questionsFor } from "./questions.js";

const TAKEN = "Your guess is in. You can change it until the answer is shown.";

/** Make the form for one reader; `show(state)` brings it up to date. */
export function makeGuessForm(room, reader) {
  const asked = element("div", { className: "asked" });
  const send = element("button", { textContent: "Send my guess" });
  const told = element("p", { className: "told", role: "status" });
  const form = element("form", { className: "guess" }, element("h2", { textContent: "Your guess" }), asked, send, told);
  let words = "";
  let taken = false;
  form.addEventListener("submit", submit);
  return { form, show };

  // Drawn anew only when the words change: what is typed meanwhile stays. Whether a guess is in is the
  // server's word, after a reload too; and in the next round it no longer is.
  function show({ settings, guess }) {
    if (taken !== Boolean(guess)) {
      taken = Boolean(guess);
      told.textContent = taken ? TAKEN : "";
    }
    const questions = questionsFor(settings);
    const now = questions.map((question) => question.ask).join();
    if (now === words) return;
    words = now;
    asked.replaceChildren(...questions.map((question) => (question.modes ? choice(question) : amount(question))));
  }

  async function submit(event) {
    event.preventDefault();
    send.disabled = true;
    try {
      await room.guess(reader, answers(form));
      room.adopt({ guess: answers(form) });
      told.textContent = TAKEN;
    } catch (error) {
      told.textContent = `Not taken: ${error.message}`;
    }
    send.disabled = false;
  }
}

function answers(form) {
  const given = Object.fromEntries(new FormData(form));
  return {
    requests_per_minute: Number(given.requests_per_minute),
    latency_ms: Number(given.latency_ms),
    fewest_bytes: given.fewest_bytes,
  };
}

function amount({ name, ask, unit, most }) {
  const field = element("input", { name, type: "number", min: 0, max: most, step: "any", required: true, inputMode: "decimal", autocomplete: "off" });
  return element("label", {}, element("span", { textContent: ask }), element("span", { className: "amount" }, field, ` ${unit}`));
}

function choice({ name, ask, modes }) {
  const options = modes.map((mode) => element("label", { data: { mode } },
    element("input", { type: "radio", name, value: mode, required: true }), title(mode)));
  return element("fieldset", {}, element("legend", { textContent: ask }), ...options);
}
