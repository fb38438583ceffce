// A student's phone: it takes a mode, chats, guesses, and reports what its reading costs. The teacher's rights are not here.

import { makePace } from "../lanes/backoff.js";
import { openLane } from "../lanes/lane.js";
import { makeAnnouncer } from "./announce.js";
import { makeDoing } from "./doing.js";
import { element, write } from "./element.js";
import { makeGuessForm } from "./guess-form.js";
import { keepOnLeaving, recall } from "./kept.js";
import { MODES, NAMES, title } from "./modes.js";
import { whoAmI } from "./names.js";
import { makeOwnCounters } from "./own-counters.js";
import { makeOutcome } from "./outcome.js";
import { makeReporter } from "./reporter.js";
import { openRoom } from "./room.js";
import { makeStrip } from "./strip.js";
import { makeTalk } from "./talk.js";

const SAID_EVERY_MS = 200;
const AGAIN_MS = 1000;
const VISIT = ["sessionStorage", "polling-vs-websocket visit"];
const STAGES = { guess: "A guess is asked for.", run: "The class is being measured.", reveal: "The answer is shown." };

const place = (id) => document.getElementById(id);
const { reader, name } = whoAmI();
const before = recall(...VISIT);  // of the page that was here before: see leave()
const room = openRoom({ polling: false });
const talk = makeTalk({ list: place("chat"), form: place("say"), told: place("told") });
const { say: speak } = makeAnnouncer(place("spoken"));
const strip = makeStrip(place("strip"));
const counters = makeOwnCounters(Object.fromEntries(
  ["requests", "empty", "messages", "bytes", "latency"].map((id) => [id, place(id)])), room);
const guess = makeGuessForm(room, reader);
const outcome = makeOutcome();
const choices = MODES.map((mode) => element("button", { type: "button", data: { mode }, onclick: () => read(mode) }, title(mode)));

let lane = null;
let reporter = null;
let doing = null;
let trouble = null;

place("say").sender.value = name;
place("guess").append(guess.form);
place("answer").append(outcome.drawing);
document.querySelector("nav").append(...choices);
begin();

async function begin() {
  const pace = makePace(AGAIN_MS);
  for (let failure = await room.ready; !room.here; failure = await room.refresh()) {
    place("doing").textContent = "The server does not answer. Trying again";
    await new Promise((done) => { setTimeout(done, pace(failure)); });
  }
  const asked = new URLSearchParams(location.search).get("mode");
  read(MODES.includes(asked) ? asked : room.state.suggest, before);
  keepOnLeaving(...VISIT, leave);
  room.onState(show);
  setInterval(say, SAID_EVERY_MS);
}

// The chosen mode is put into the address, so that a reload keeps it; in the same mode the reader goes on from `visit`.
function read(mode, visit = null) {
  const same = visit?.mode === mode ? visit : null;
  const { cursor: from, epoch } = same ?? lane ?? { cursor: room.state.head, epoch: room.state.epoch };
  lane?.stop();
  strip.clear(mode);
  counters.clear(mode);
  if (same) counters.resume(same.counted);
  doing = makeDoing(mode);
  if (reporter === null) reporter = makeReporter({ room, reader, mode, after: visit?.number });
  else reporter.use(mode);
  const own = doing;
  lane = openLane({
    mode, reader, settings: () => room.state.settings, toPage: room.toPage,
    on: (event) => { if (doing === own) hear(event); },
    from, epoch,
  });
  history.replaceState(history.state, "", `?mode=${mode}`);
  document.body.dataset.mode = mode;
  dispatchEvent(new Event("themechange"));  // the strip has the mode's colour
  place("mode").replaceChildren(title(mode));
  speak(`You read by ${NAMES[mode]}.`);
  for (const choice of choices) choice.setAttribute("aria-pressed", choice.dataset.mode === mode);
}

// What the page that is loaded in this one's place should know.
function leave() {
  reporter.part();
  const { cursor, epoch } = lane;
  return { mode: document.body.dataset.mode, cursor, epoch, counted: counters.counted(), number: reporter.number() };
}

function hear(event) {
  for (const each of [doing, strip, counters, reporter]) each.hear(event);
  if (event.kind === "delivered") {
    talk.hear(event.message);
    speak(`${event.message.sender}: ${event.message.text}`);
  }
  if (event.kind === "skipped") remark(event.count === 1 ? "One message passed by unread." : `${event.count} messages passed by unread.`);
  if (event.kind === "gap") remark(`Some messages are gone: ${event.notice.error}`);
}

function remark(text) {
  talk.note(text);
  speak(text);
}

function say() {
  write(place("doing"), doing.sentence(performance.now()));
  if (doing.trouble() !== trouble) speak(`${doing.trouble() ?? "The server is back"}.`);
  trouble = doing.trouble();
  document.body.classList.toggle("lost", trouble !== null);
  counters.draw();
}

let shown = null;

function show(state) {
  if (room.silent) lane.doubt();
  else if (room.here) lane.compare(state);
  const { settings, tallies } = state;
  if (tallies) counters.server(tallies);  // heads and frames are hidden from a page; the server has counted them
  guess.show(state);
  place("guess").hidden = settings.stage !== "guess";
  place("answer").hidden = settings.stage !== "reveal";
  if (settings.stage === "reveal") outcome.show(state);
  if (shown?.stage !== settings.stage && settings.stage === "reveal") room.refresh();
  if (shown !== null && shown.stage !== settings.stage && settings.stage in STAGES) speak(STAGES[settings.stage]);
  // A reader in the middle of a long pause is to notice that the pause is another now.
  if (shown !== null && shown.interval_s !== settings.interval_s) lane.nudge();
  shown = settings;
}
