// What a server says when it refuses. No DOM here.

const LONGEST_ASKED_MS = 60_000;  // beyond it a page would seem dead

/**
 * Make an Error of an answer that is a refusal: what was wrong, as the server says it, the `status`, and `retry_ms`: how
 * long it asks to be spared.
 */
export async function refusal(response) {
  const { error } = await response.json().catch(() => ({}));
  const retry_ms = asked_ms(response.headers.get("Retry-After"));
  return Object.assign(new Error(error ?? `the server answered ${response.status}`), { status: response.status, retry_ms });
}

// RFC 9110, section 10.2.3. Its other form, a date, is one of another machine's clock, and is not read.
function asked_ms(retry_after) {
  return /^\d{1,9}$/.test(retry_after) ? Math.min(retry_after * 1000, LONGEST_ASKED_MS) : 0;
}
