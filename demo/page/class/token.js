// The teacher's token: taken out of the address, kept in this browser, sent as a header. No DOM.

import { forget, keep, recall } from "./kept.js";

const KEY = "polling-vs-websocket teacher";
const WHERE = "localStorage";  // the lesson's links open new tabs, and those are to be the teacher's as well

/** Take the token from `#token=...`, or from what an earlier page of this browser kept; null if neither. */
export function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) return recall(WHERE, KEY);
  history.replaceState(history.state, "", location.pathname + location.search);
  keep(WHERE, KEY, given);
  return given;
}

/** Forget a token that the server does not know: each start makes another, which a newer tab may have kept meanwhile. */
export function forgetToken(token) {
  if (recall(WHERE, KEY) === token) forget(WHERE, KEY);
}
