// An exchange as parts (request, answer, frames) with their fields, and what each costs. No DOM, no network.

import { accept, GUID } from "./decode/accept.js";
import { decodeFrame } from "./decode/frame.js";
import { decodeHttp, headersOf } from "./decode/http.js";

const TITLES = {
  up: { poll: "The question", ws: "The upgrade: please speak WebSocket" },
  down: { poll: "The answer", ws: "The upgrade: yes" },
};

/** Take the answer of GET /class/wire apart: [{title, way, bytes, kind, fields}] in order of time. */
export function partsOf(mode, wire, news = true) {
  const talk = mode === "ws" ? "ws" : "poll";
  const parts = ["up", "down"].map((way) => http(TITLES[way][talk], way, wire[way]));
  if (mode === "ws" && news) {
    parts.push(frame("A frame from the browser", "up", wire.frame_up));
    parts.push(frame("A frame from the server", "down", wire.frame_down));
  }
  const there = parts.filter((part) => part !== null);
  if (mode === "ws") prove(there);
  return there;
}

/** Count an exchange's bytes: those of the news, and all others. */
export function costOf(parts) {
  const all = parts.reduce((sum, part) => sum + part.bytes.length, 0);
  const fields = parts.filter((part) => part.way === "down").flatMap((part) => part.fields);
  const news = fields.filter((field) => field.payload).reduce((sum, field) => sum + field.end - field.start, 0);
  return { news, rest: all - news, all };
}

function http(title, way, bytes) {
  return bytes ? { title, way, bytes, kind: "http", fields: decodeHttp(bytes) } : null;
}

function frame(title, way, bytes) {
  return bytes ? { title, way, bytes, kind: "frame", fields: decodeFrame(bytes) } : null;
}

// The one header that is worked out from another: show how, and whether the server got it right.
function prove([request, answer]) {
  const field = answer?.fields.find((each) => each.name.toLowerCase() === "sec-websocket-accept");
  if (!field) return;
  const key = headersOf(request.bytes)["sec-websocket-key"];
  const said = headersOf(answer.bytes)["sec-websocket-accept"];
  const { hex, base64 } = accept(key);
  field.list = [
    `the key that was sent: ${key}`,
    `with the standard's fixed string behind it: ${key}${GUID}`,
    `SHA-1 of that, 20 bytes: ${hex}`,
    `these in Base64: ${base64}`,
    base64 === said ? "It is what the server answered: this is no mistaken web server." : `The server said ${said}: wrong!`,
  ];
}
