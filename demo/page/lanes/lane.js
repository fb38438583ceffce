// A lane: one reader of the feed in one mode: where it stands, and how it comes back after a failure. No DOM here.

import { makeAbsence } from "./absence.js";
import { ask } from "./ask.js";
import { makeBackoff } from "./backoff.js";
import { makeDoubt } from "./doubt.js";
import { beginExchange, stayed } from "./exchanges.js";
import { MODES } from "./modes.js";
import { PATIENCE_MS } from "./patience.js";
import { refusal } from "./refusal.js";

const DEFAULTS = { interval_s: 1, hold_s: 25, keepalive: true, cursor: true, hold: true, rtt_ms: 0 };

/**
 * Open a lane that reads as `reader`, from the start of what the feed still has, or from `from`, in the `epoch` that `from`
 * is of: without it, a reader that has heard nothing yet would not be told that its history has ended.
 *
 * `settings()` gives the class's settings of this moment, `now()` the page's clock in ms. `on(event)` is told of
 * everything, each event with `at_ms` and `kind`:
 * `asked` {exchange} a request leaves · `answered` {exchange} its answer is here · `opened` {exchange} a socket is open ·
 * `delivered` {exchange, message, rtt_ms} · `failed` {exchange, pause_ms, longest_ms} · `waiting` {until_ms, why:
 * "interval" or "backoff"} · `gap` {notice, cursor} messages may be gone · `anew` {cursor} another history begins there ·
 * `skipped` {to, count} `count` messages up to `to` have passed the lane by ·
 * `verdict` {away_ms, caught_up, lost, gap, cursor} what a time without connection has cost; `lost` is null if it cannot know.
 * An exchange, one poll or one socket's life, is as in exchanges.js.
 */
export function openLane({ mode, ...options }) {
  const lane = new Lane(options);
  lane.done = MODES[mode].read(lane);
  return lane;
}

class Lane {
  constructor({ reader, settings, on, now = () => performance.now(), toPage, from = 0, epoch = null }) {
    this.reader = reader;
    this.settings = () => ({ ...DEFAULTS, ...settings() });
    this.cursor = from;
    this.epoch = epoch;
    this.#now = now;
    this.#on = on;
    this.#doubt = makeDoubt(now);
    this.#absence = makeAbsence(now, (verdict) => this.#tell("verdict", verdict), toPage);
    this.signal = this.#end.signal;
  }

  #now;
  #on;
  #end = new AbortController();
  #backoff = makeBackoff();
  #last = null;  // exchange
  #request = null;  // what ends the one under way
  #doubt;
  #absence;
  #wake = () => {};
  doubt = () => {};  // begin anew, in a mode that may be silent for ever: the server answers nothing else

  get stopped() { return this.signal.aborted; }

  get hold_s() { return this.settings().hold ? this.settings().hold_s : 0; }

  /** The address to ask at, from where the lane stands. */
  url(path, query = {}) {
    const { cursor, keepalive } = this.settings();
    const standing = cursor ? { after: this.cursor, ...(this.epoch && { epoch: this.epoch }) } : {};
    const all = { ...standing, ...query, reader: this.reader, ...(keepalive ? {} : { close: 1 }) };
    return `${new URL(path, location.href)}?${new URLSearchParams(all)}`;
  }

  /** Ask; an answer must begin in good time, after the hold if there is one. */
  fetch(path, query = {}) {
    this.#request = new AbortController();
    return ask(this.url(path, query), (query.hold_s ?? 0) * 1000 + PATIENCE_MS, this.#request);
  }

  asked() {
    const { cursor, rtt_ms } = this.settings();
    this.#last = beginExchange((this.#last?.number ?? 0) + 1, this.#now(), cursor ? this.cursor : null, rtt_ms);
    this.#doubt.asked();
    this.#tell("asked", { exchange: this.#last });
    return this.#last;
  }

  async answered(exchange, response) {
    const { status } = response;
    if (![200, 204, 410].includes(status)) {
      const error = await refusal(response);
      this.#endExchange(exchange, status, error);
      throw error;
    }
    const body = status === 204 ? null : await response.json();
    exchange.messages = body?.messages?.length ?? 0;
    this.#endExchange(exchange, status);
    this.#tell("answered", { exchange });
    this.#backoff.reset();
    // The line was there when the request left: how long the server then held it is no absence.
    if (status === 410) this.gap(body);
    else this.#absence.back(exchange.asked_ms, status === 200 || exchange.cursor !== null);
    if (status !== 200) return;
    this.#enter(body.epoch, body.messages[0].id - 1);
    for (const message of body.messages) this.#take(exchange, message);
  }

  heard(exchange, frame) {
    if ("id" in frame) {
      exchange.messages += 1;
      this.#take(exchange, frame);
    } else if ("oldest" in frame) {
      this.#endExchange(exchange, 4410);
      this.#tell("answered", { exchange });
      this.gap(frame);
    } else if ("epoch" in frame) {
      Object.assign(exchange, { status: 101, opened_ms: this.#now() });
      this.#tell("opened", { exchange });
      this.#enter(frame.epoch, frame.cursor);
      if (frame.cursor > this.cursor) this.#skip(frame.cursor);
      this.#absence.back(exchange.opened_ms, true);
    }
  }

  gap(notice) {
    this.#heard();
    this.#tell("gap", { notice, cursor: this.cursor });
    this.#absence.gap(this.cursor);
    this.epoch = notice.epoch;
    this.cursor = notice.oldest - 1;
  }

  async comeBack(exchange) {
    if (this.stopped) return;
    if (exchange.ended_ms === null) this.#endExchange(exchange, 0);
    this.#absence.begin(exchange.ended_ms, this.cursor);
    if (stayed(exchange)) this.#backoff.reset();
    const { pause_ms, longest_ms } = this.#backoff.next(exchange.retry_ms);
    this.#tell("failed", { exchange, pause_ms, longest_ms });
    await this.#wait(pause_ms, "backoff");
  }

  pause(seconds) { return seconds === 0 ? null : this.#wait(seconds * 1000, "interval"); }

  /** Compare with where the feed stands, as another answer has told: a mode that hears nothing of it begins anew. */
  compare({ epoch, head }) {
    const behind = this.#last?.ended_ms === null && (epoch !== this.epoch || head > this.cursor);
    if (this.#doubt.due(behind)) this.doubt();
  }

  /** End the present pause: the settings have changed. */
  nudge() { this.#wake(); }

  stop() {
    this.#end.abort();
    this.#request?.abort();
    this.#wake();
  }

  // A reader that asks without its cursor is not told of a gap: it finds itself in another history.
  #enter(epoch, cursor) {
    if (this.epoch !== null && this.epoch !== epoch) {
      this.cursor = cursor;
      this.#tell("anew", { cursor });
    }
    this.epoch = epoch;
  }

  #take(exchange, message) {
    if (message.id > this.cursor + 1) this.#skip(message.id - 1);
    this.cursor = message.id;
    this.#heard();
    this.#absence.take(message);
    this.#tell("delivered", { exchange, message, rtt_ms: this.settings().rtt_ms });
  }

  #skip(to) {
    const count = to - this.cursor;
    this.#absence.skip(count);
    this.cursor = to;
    this.#tell("skipped", { to, count });
  }

  // A greeting alone is not enough: a server that closes after it would be asked without pause for ever.
  #heard() {
    this.#backoff.reset();
    this.#doubt.heard();
  }

  #endExchange(exchange, status, { message: refusal = null, retry_ms = 0 } = {}) {
    Object.assign(exchange, { ended_ms: this.#now(), status, refusal, retry_ms });
  }

  #wait(pause_ms, why) {
    if (this.stopped) return null;
    this.#tell("waiting", { until_ms: this.#now() + pause_ms, why });
    return new Promise((done) => {
      const timer = setTimeout(done, pause_ms);
      this.#wake = () => { clearTimeout(timer); done(); };
    });
  }

  #tell(kind, event) { this.#on({ kind, at_ms: this.#now(), ...event }); }
}
