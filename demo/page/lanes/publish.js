// Publish a message: the same in every mode. No DOM here.

import { refusal } from "./refusal.js";

const PATIENCE_MS = 10_000;  // with an answer: a network may swallow what is sent, and nobody is told

/** Publish; resolve to the message, or throw an Error that says what was wrong. */
export async function publish(sender, text) {
  const body = JSON.stringify({ sender, text });
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const response = await fetch(new URL("/messages", location.href), { method: "POST", body, headers, signal });
  if (!response.ok) throw await refusal(response);
  return response.json();
}
