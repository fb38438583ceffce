// Take a request or an answer of HTTP/1.1 apart, field by field. No network and no DOM here.
// Bytes are a string of one character each; a field is {start, end, name, says} into that string.

import { says } from "./headers.js";
import { textOf } from "./text.js";

const QUERY = {
  after: "the cursor: the id of the last message that this reader has",
  epoch: "the history that the cursor belongs to",
  hold_s: "how long the server may keep the question open",
  reader: "the name under which the server counts this reader",
  close: "close the connection after the answer",
};

const STATUS = {
  101: "Switching Protocols: yes. From the next byte on, this connection speaks WebSocket.",
  200: "OK: there is news, and it is in the body.",
  204: "No Content: nothing new. All these bytes, only to say so.",
  400: "Bad Request: the server could not make sense of it.",
  403: "Forbidden: this page may not.",
  410: "Gone: the cursor points to messages that are no longer there.",
};

/** Take the bytes of a request or of an answer apart: fields without a hole, in order. */
export function decodeHttp(bytes) {
  const fields = [];
  const headEnd = bytes.indexOf("\r\n\r\n");
  if (headEnd < 0) return [{ start: 0, end: bytes.length, name: "bytes", says: "The head is not whole." }];
  let start = 0;
  while (start < headEnd + 2) {
    const end = bytes.indexOf("\r\n", start) + 2;
    const line = bytes.slice(start, end - 2);
    fields.push({ start, end, ...(start === 0 ? firstLine(line) : header(line)) });
    start = end;
  }
  fields.push({ start, end: start + 2, name: "empty line", says: "The head ends here." });
  if (start + 2 < bytes.length) fields.push(body(bytes, start + 2));
  return fields;
}

/** Read a head's headers into an object, names in lower case. */
export function headersOf(bytes) {
  const lines = bytes.slice(0, bytes.indexOf("\r\n\r\n")).split("\r\n").slice(1);
  return Object.fromEntries(lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  }));
}

function firstLine(line) {
  return line.startsWith("HTTP/") ? statusLine(line) : requestLine(line);
}

function requestLine(line) {
  const [method, target] = line.split(" ");
  const [path, query = ""] = target.split("?");
  const parts = [...new URLSearchParams(query)].map(([name, value]) => `${name}=${value}: ${QUERY[name] ?? "?"}`);
  return {
    name: "request line",
    says: `${method}, that is: read ${path}. ${parts.length ? "Its question says:" : ""}`,
    list: parts,
  };
}

function statusLine(line) {
  const [, status] = line.split(" ");
  return { name: `status ${status}`, says: STATUS[status] ?? "How it went." };
}

function header(line) {
  const name = line.slice(0, line.indexOf(":"));
  return { name, says: says(name) };
}

function body(bytes, start) {
  const text = textOf(bytes.slice(start));
  return { start, end: bytes.length, name: "body", says: saysOf(text), payload: true };
}

function saysOf(text) {
  try {
    const { messages, cursor } = JSON.parse(text);
    const count = messages.length === 1 ? "One message" : `${messages.length} messages`;
    return `${count}, and the new cursor ${cursor}: the next question will begin there.`;
  } catch {
    return "What the head was for.";
  }
}
