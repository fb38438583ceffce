// What a server says when it refuses. No DOM here.

/** Make an Error of an answer that is a refusal: what was wrong, as the server says it, and the `status`. */
export async function refusal(response) {
  const { error } = await response.json().catch(() => ({}));
  return Object.assign(new Error(error ?? `the server answered ${response.status}`), { status: response.status });
}
