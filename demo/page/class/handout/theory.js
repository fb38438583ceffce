// What theory says of a reader in each mode: MEASURING's formulas, as analysis/theory has them. Only numbers here.
// I interval, R round trip, T hold, G gap between an answer and the next question, rate in messages a second;
// seconds throughout. Messages come at random (Poisson), and the server's own work is taken to be nothing.

import { UNHELD_PAUSE_S } from "../../lanes/long-polling.js";

/** What theory says of each mode under a class's settings, at `rate` messages a second. */
export function theoryOf({ interval_s, hold_s, rtt_ms, keepalive, hold }, rate) {
  const rtt_s = rtt_ms / 1000;
  const opening_s = keepalive ? 0 : rtt_s;  // a connection for each poll
  const asked = { interval_s, rtt_s, opening_s, rate };
  const isHeld = hold && hold_s > 0;
  return {
    short: short(asked),
    long: isHeld ? long({ ...asked, hold_s }) : short({ ...asked, interval_s: UNHELD_PAUSE_S }),
    ws: ws(asked),
  };
}

/** Short polling: C = I + R, and what opening takes; latency R/2 + C/2, 1/C requests a second, e^(-rate C) of them empty. */
function short({ interval_s, rtt_s, opening_s, rate }) {
  const cycle_s = interval_s + opening_s + rtt_s;
  return { latency_s: rtt_s / 2 + cycle_s / 2, requests_per_s: 1 / cycle_s, empty_share: Math.exp(-rate * cycle_s) };
}

/** Long polling: E = G + A/rate with A = e^(-rate G) (1 - e^(-rate T)); latency R/2 + (1 - f) G/2, f = A / (rate G + A). */
function long({ hold_s, rtt_s, opening_s, rate }) {
  const gap_s = opening_s + rtt_s;
  const armed = Math.exp(-rate * gap_s) * -Math.expm1(-rate * hold_s);
  const met = armed / (rate * gap_s + armed);
  return {
    latency_s: rtt_s / 2 + ((1 - met) * gap_s) / 2,
    requests_per_s: 1 / (gap_s + armed / rate),
    empty_share: Math.exp(-rate * (gap_s + hold_s)),
  };
}

/** WebSocket: half a round trip, and no question after the first. */
function ws({ rtt_s }) {
  return { latency_s: rtt_s / 2, requests_per_s: 0, empty_share: null };
}
