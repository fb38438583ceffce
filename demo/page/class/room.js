// The class's control plane: its state each second, the teacher's changes, the server's clock. No DOM.

import { makePace } from "../lanes/backoff.js";
import { PATIENCE_MS } from "../lanes/patience.js";
import { refusal } from "../lanes/refusal.js";
import { makeClock } from "./clock.js";
import { forgetToken, takeToken } from "./token.js";

const EVERY_MS = 1000;
const CLOCK_EVERY_MS = 5000;
const FIRST_SAMPLES = 5;

/**
 * Open the room. Its members:
 * `state`: the last answer of GET /class (null before the first); `here`: does the server answer;
 * `teacher`: may this page change anything;
 * `silent`: was the last request given up, since no answer came;
 * `onState(fn)`: call `fn(state)` after each answer, and when the server is gone; returns how to stop it;
 * `now()`, `server_ns(page_ms)`: the server's clock in ns; `toPage(at_ns)`: a stamp of it on the page's clock, in ms;
 * `clock_error_ms()`: by how much that may be wrong;
 * `set`, `restart`, `line`, `run`, `tallies`, `guess`, `report`, `wire`, `log`: the routes; each resolves
 * to the answer's JSON, or rejects with an Error that says what to do (and its `status`, if it was answered).
 * With `polling` false the room asks only when told (`refresh`, `adopt`): the phones report anyway.
 */
export function openRoom({ polling = true } = {}) {
  const clock = makeClock();
  const listeners = new Set();
  let token = takeToken();

  const room = {
    state: null, here: false, teacher: false,
    onState, refresh, adopt, lose,
    now: clock.now, server_ns: clock.server_ns, toPage: clock.toPage, silent: false,
    clock_error_ms: () => (clock.known() ? clock.error_ns() / 1e6 : null),
    set: (changes) => post("class/settings", changes).then(settled),
    restart: () => post("class/restart", {}),
    line: (reader, change) => post(`class/readers/${encodeURIComponent(reader)}/line`, change),
    run: (seconds, chatter) => post("class/run", { seconds, chatter }),
    tallies: (readers) => get(`class/tallies?readers=${readers.map(encodeURIComponent).join()}`),
    guess: (reader, answers) => post("class/guesses", { reader, answers }),
    report: (rows, options) => post("class/reports", rows, options),
    wire: (reader) => get(`class/wire?reader=${encodeURIComponent(reader)}`),
    log: () => ask("class/log.zip").then((response) => response.blob()),
  };
  room.ready = begin();
  return room;

  async function begin() {
    const failure = await refresh();
    for (let count = 0; count < FIRST_SAMPLES && room.here; count += 1) await readClock();
    if (polling) repeat(refresh, makePace(EVERY_MS));
    repeat(readClock, makePace(CLOCK_EVERY_MS));
    return failure;
  }

  async function repeat(ask, pace) {
    for (let failure = null; ; failure = await ask()) await new Promise((done) => { setTimeout(done, pace(failure)); });
  }

  function onState(listener) {
    listeners.add(listener);
    if (room.state !== null) listener(room.state);
    return () => listeners.delete(listener);
  }

  /** Ask for the class's state; resolve to null, or to the Error that it has met. */
  async function refresh() {
    try {
      const state = await get("class");
      if (token !== null && !state.teacher) {
        forgetToken(token);
        token = null;
      }
      adopt(state);
      return null;
    } catch (error) {
      lose();
      return error;
    }
  }

  /** Take over what an answer said of the class, whole or in part. */
  function adopt(part) {
    room.state = { ...room.state, ...part };
    room.teacher = room.state.teacher === true;
    room.here = true;
    tell();
  }

  /** Take note that the server did not answer, or not as it should. */
  function lose() {
    room.here = false;
    if (room.state !== null) tell();
  }

  function tell() {
    for (const listener of listeners) listener(room.state);
  }

  function settled(settings) {
    adopt({ settings });
    return settings;
  }

  async function readClock() {
    try {
      const asked_ms = performance.now();
      const { now_ns } = await get("class/clock");
      clock.sample(asked_ms, performance.now(), now_ns);
      return null;
    } catch (error) {
      lose();
      return error;
    }
  }

  function get(path) {
    return soon(path, {});
  }

  function post(path, body, options = {}) {
    return soon(path, { ...options, method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
  }

  async function soon(path, options) {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      return await (await ask(path, { ...options, signal })).json();
    } finally {
      room.silent = signal.aborted;
    }
  }

  async function ask(path, { headers = {}, ...options } = {}) {
    const authorization = token === null ? {} : { Authorization: `Bearer ${token}` };
    const response = await fetch(new URL(path, new URL("/", location.href)), {
      cache: "no-store", ...options, headers: { ...headers, ...authorization },
    });
    if (!response.ok) throw await refusal(response);
    return response;
  }
}
