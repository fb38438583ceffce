// Publish a message: the same in every mode. No DOM here.

import { PATIENCE_MS } from "./patience.js";
import { refusal } from "./refusal.js";

/** Publish; resolve to the message, or throw an Error that says what was wrong. */
export async function publish(sender, text) {
  const body = JSON.stringify({ sender, text });
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(new URL("/messages", location.href), { method: "POST", body, headers, signal });
  if (!response.ok) throw await refusal(response);
  return response.json();
}
