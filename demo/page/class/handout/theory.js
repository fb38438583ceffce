// What theory says of a reader in each mode: MEASURING's formulas, as analysis/theory has them. Only numbers here.
// I interval, R round trip, T hold, G gap between an answer and the next question, rate in messages a second;
// seconds throughout. Messages come at random (Poisson), and the server's own work is taken to be nothing.

/** Short polling: C = I + R; latency R/2 + C/2, 1/C requests a second, e^(-rate C) of them empty. */
export function short({ interval_s, rtt_s, rate }) {
  const cycle_s = interval_s + rtt_s;
  return { latency_s: rtt_s / 2 + cycle_s / 2, requests_per_s: 1 / cycle_s, empty_share: Math.exp(-rate * cycle_s) };
}

/** Long polling: E = G + A/rate with A = e^(-rate G) (1 - e^(-rate T)); latency R/2 + (1 - f) G/2, f = A / (rate G + A). */
export function long({ hold_s, rtt_s, rate }) {
  const gap_s = rtt_s;
  const armed = Math.exp(-rate * gap_s) * -Math.expm1(-rate * hold_s);
  const met = armed / (rate * gap_s + armed);
  return {
    latency_s: rtt_s / 2 + ((1 - met) * gap_s) / 2,
    requests_per_s: 1 / (gap_s + armed / rate),
    empty_share: Math.exp(-rate * (gap_s + hold_s)),
  };
}

/** WebSocket: half a round trip, and no question after the first. */
export function ws({ rtt_s }) {
  return { latency_s: rtt_s / 2, requests_per_s: 0, empty_share: null };
}

export const THEORY = { short, long, ws };
