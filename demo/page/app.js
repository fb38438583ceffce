// The classroom page: three lanes of real traffic, a store of what they saw, and drawings of it.

import { write } from "./class/element.js";
import { openRoom } from "./class/room.js";
import { followAddress } from "./controls/address.js";
import { keepNewest } from "./controls/newest.js";
import { makePlayback } from "./controls/playback.js";
import { makeRaceForm } from "./controls/race.js";
import { makeScheme } from "./controls/scheme.js";
import { makeControls } from "./controls/teacher.js";
import { makePanel } from "./draw/panel.js";
import { makeRaceLine } from "./draw/race.js";
import { openLane } from "./lanes/lane.js";
import { MODES } from "./lanes/modes.js";
import { makeRaces } from "./races.js";
import { STARTS } from "./settings.js";
import { makeStore } from "./store.js";
import { makeView } from "./view.js";

const SEEN_BEFORE = 20;  // messages from before the page was opened
const TALLIES_EVERY_MS = 1000;
const UNITS_PER_S = 2.6;  // how fast the diagrams run, in units of type size
const PICTURE_MS = 28;  // between pictures: every other frame of most screens, which spares a laptop half the work
const CALM_MS = 500;  // the same where motion is not wanted
const MOUNTED = { class: "overview", guesses: "guesses", wire: "wire", keep: "keep" };

const modes = Object.keys(MODES);
const now = () => performance.now();
const calm = matchMedia("(prefers-reduced-motion: reduce)");

const room = openRoom();
await room.ready;
const refused = await followAddress(room);

const settings = () => room.state?.settings ?? STARTS;
const { head = 0, epoch = null } = room.state ?? {};
const from = settings().cursor ? Math.max(0, head - SEEN_BEFORE) : head;  // without a cursor nothing earlier can be had
const page = `page-${crypto.getRandomValues(new Uint32Array(1))[0].toString(36)}`;
room.readers = Object.fromEntries(modes.map((mode) => [mode, `${page}-${mode}`]));
const store = makeStore(modes, room.toPage, from);
const view = makeView(now);
const races = makeRaces(modes, store);
const panels = Object.fromEntries(modes.map((mode) => [mode, makePanel(mode, MODES[mode], store)]));
const playback = makePlayback(document.getElementById("playback"), view, store);
const raceLine = makeRaceLine(document.querySelector("#race svg"), MODES);

const controls = makeControls(document.getElementById("controls"), panels, room, refused);
makeRaceForm(document.querySelector("#race form"), races, now, room.teacher ? "teacher" : "guest");
makeScheme(document.getElementById("scheme"));

let { interval_s } = settings();
const lanes = modes.map((mode) => openLane({
  mode, reader: room.readers[mode], settings, now, toPage: room.toPage, from, epoch, on: (event) => store.hear(mode, event),
}));

let resting = false;
// Asked first, so that the address has the settings of now: the page that it loads sets what the address says.
keepNewest(document.getElementById("lanes"), rest, () => room.refresh().then(() => location.reload()));

room.onState(tellState);
room.onState(nudge);
tellState();
requestAnimationFrame(frame);
tallyAgain();
const mounted = Object.entries(MOUNTED).map(async ([id, name]) => {
  const { mount } = await import(`./class/${name}.js`);
  mount(document.getElementById(id), room);
});
// Only now do the sections above the address's one have their height.
Promise.all(mounted).then(() => document.getElementById(location.hash.slice(1))?.scrollIntoView({ behavior: "instant" }));

let drawn_ms = -Infinity;

function frame() {
  if (resting) return;
  requestAnimationFrame(frame);
  const here_ms = now();
  if (here_ms - drawn_ms < (calm.matches ? CALM_MS : PICTURE_MS)) return;
  drawn_ms = here_ms;
  const at_ms = view.time();
  // In slow motion time is drawn larger, so that the picture moves as ever and milliseconds can be seen.
  const pace = UNITS_PER_S / Math.min(view.speed, 1);
  for (const panel of Object.values(panels)) panel.draw(at_ms, pace, here_ms);
  playback.show(at_ms, here_ms);
  raceLine.draw(races, at_ms, settings().interval_s * 1000);
}

// Asked again only when answered: on a slow network the questions would pile up.
async function tallyAgain() {
  if (resting) return;
  if (room.here) await tally();
  setTimeout(tallyAgain, TALLIES_EVERY_MS);
}

async function tally() {
  const asked_ms = now();
  const tallies = await room.tallies(Object.values(room.readers)).catch(() => ({}));
  for (const mode of modes) {
    const counted = tallies[room.readers[mode]];
    if (counted && store.count(mode, counted, asked_ms, now())) controls.release();
  }
}

function rest() {
  resting = true;
  for (const lane of lanes) lane.stop();
  for (const id of ["playback", "race"]) document.getElementById(id).remove();
}

function nudge() {
  if (settings().interval_s === interval_s) return;
  interval_s = settings().interval_s;
  for (const lane of lanes) lane.nudge();
}

function tellState() {
  for (const lane of lanes) {
    if (room.silent) lane.doubt();
    else if (room.here) lane.compare(room.state);
  }
  const state = document.getElementById("state");
  const text = room.here ? "connected" : "The server does not answer; trying again.";
  write(state, text);
  state.classList.toggle("open", room.here);
}
