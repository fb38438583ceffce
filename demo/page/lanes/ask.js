// Ask, and wait only as long as an answer begins and goes on: nobody tells a page that the network has swallowed one.

import { PATIENCE_MS } from "./patience.js";

/**
 * Fetch `url`. `request`, an AbortController, is aborted when the answer has not begun within `patience_ms`, and when it
 * stops in the middle. How long all of it takes is the line's affair.
 */
export async function ask(url, patience_ms, request) {
  let timer;
  const disarm = () => clearTimeout(timer);
  const arm = (wait_ms) => {
    disarm();
    timer = setTimeout(() => request.abort(), wait_ms);
  };
  arm(patience_ms);
  const response = await fetch(url, { signal: request.signal }).finally(disarm);
  if (response.status === 204 || response.body === null) return response;
  arm(PATIENCE_MS);
  const pieces = new TransformStream({
    transform(piece, out) {
      arm(PATIENCE_MS);
      out.enqueue(piece);
    },
    flush: disarm,
  });
  return new Response(response.body.pipeThrough(pieces), response);
}
