// Publish a message: the same in every mode. No DOM here.

import { refusal } from "./refusal.js";

const SENT_MS = 25_000;  // the server gives a text 10 s to come, and its disk 10 s more, and then says what has become of it

/** Publish, under a key of its own; resolve to the message, or throw an Error that says what was wrong. */
export async function publish(sender, text, key = makeKey()) {
  const body = JSON.stringify({ sender, text, key });
  const headers = { "Content-Type": "application/json" };
  const signal = AbortSignal.timeout(SENT_MS);
  const response = await fetch(new URL("/messages", location.href), { method: "POST", body, headers, signal });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

/**
 * Make what publishes for a form. What `publish` has tried in vain may have been heard all the same: when it comes again as
 * it was, it has the key that it had, and is published once. `forget()` when it was edited: it is another message then.
 */
export function makePublisher() {
  let unheard = null;
  return { publish: attempt, forget };

  async function attempt(sender, text) {
    const key = unheard?.sender === sender && unheard.text === text ? unheard.key : makeKey();
    unheard = null;
    try {
      return await publish(sender, text, key);
    } catch (error) {
      unheard = { sender, text, key };
      throw error;
    }
  }

  function forget() { unheard = null; }
}

// Not crypto.randomUUID, which a page has over https only.
function makeKey() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
