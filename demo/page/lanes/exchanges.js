// Exchanges: what a lane keeps of one poll, or of one socket's life. No DOM here.

const STAYED_MS = 15_000;

/**
 * Begin an exchange {number, asked_ms, opened_ms, ended_ms, status, refusal, retry_ms, messages, cursor, rtt_ms}: `cursor` is
 * null when the reader asks without one, `status` 0 when no answer came, `refusal` what the server said when it refused, and
 * null when it did not, `retry_ms` how long it asked to be spared.
 */
export function beginExchange(number, asked_ms, cursor, rtt_ms) {
  return {
    number, asked_ms, opened_ms: null, ended_ms: null, status: null, refusal: null, retry_ms: 0, messages: 0, cursor, rtt_ms,
  };
}

/** Was it a socket that stayed open? Then it went well, though nobody may have said anything. */
export function stayed({ opened_ms, ended_ms }) {
  return opened_ms !== null && ended_ms - opened_ms > STAYED_MS;
}
