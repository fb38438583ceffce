// Take a WebSocket frame apart, field by field (RFC 6455, section 5.2). No network and no DOM here.
// Bytes are a string of one character each; a field is {start, end, name, says} into that string.

import { hex } from "./accept.js";
import { textOf } from "./text.js";

const OPCODES = { 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };
const SHOWN = 6;

/** Take one frame apart: fields without a hole, in order. */
export function decodeFrame(bytes) {
  const byte = (at) => bytes.charCodeAt(at);
  const masked = byte(1) >= 128;
  const lengthBytes = { 126: 2, 127: 8 }[byte(1) & 127] ?? 0;
  const keyStart = 2 + lengthBytes;
  const start = keyStart + (masked ? 4 : 0);
  const fields = [first(byte(0)), second(byte(1))];
  if (lengthBytes) fields.push(length(bytes, lengthBytes));
  if (masked) fields.push(key(keyStart));
  const payload = masked ? unmask(bytes.slice(start), bytes.slice(keyStart, start)) : bytes.slice(start);
  if (start < bytes.length) fields.push(content(bytes, start, masked ? keyStart : null, payload));
  return fields;
}

function first(byte) {
  const [fin, opcode] = [byte >> 7, byte & 15];
  return {
    start: 0, end: 1, name: "kind", bits: spaced(byte, 1, 4),
    says: `FIN ${fin}: ${fin ? "the message ends with this frame" : "more frames follow"}. `
      + `RSV ${bits(byte).slice(1, 4)}: ${byte & 64 ? "compressed" : "no extension in use"}. `
      + `Opcode ${opcode}: ${OPCODES[opcode] ?? "unknown"}.`,
  };
}

function second(byte) {
  const length = byte & 127;
  const more = { 126: ": the length is in the next 2 bytes", 127: ": the length is in the next 8 bytes" }[length];
  return {
    start: 1, end: 2, name: "mask and length", bits: spaced(byte, 1),
    says: `MASK ${byte >> 7}: ${byte >> 7 ? "the payload is masked, as from every client" : "not masked, as from every server"}. `
      + `Length ${length}${more ?? " bytes, up to 125 fit here"}.`,
  };
}

function length(bytes, count) {
  const value = parseInt(hex(bytes.slice(2, 2 + count)), 16);
  return { start: 2, end: 2 + count, name: "length", says: `The payload has ${value} bytes.` };
}

function key(start) {
  return {
    start, end: start + 4, name: "masking key",
    says: "Four random bytes, new for each frame. They hide nothing; they keep a page from writing bytes "
      + "of its choice to an old proxy on the way, which might take them for HTTP.",
  };
}

function content(bytes, start, keyStart, payload) {
  const text = textOf(payload);
  const compressed = bytes.charCodeAt(0) & 64;
  const says = compressed ? "Compressed (RFC 7692): only who kept the frames before can read it." : `It says: ${text}`;
  const field = { start, end: bytes.length, name: "payload", payload: true, says };
  if (keyStart === null) return field;
  const sums = Array.from(payload.slice(0, SHOWN), (character, at) => {
    const [masked, mask] = [bytes[start + at], bytes[keyStart + (at % 4)]].map(hex);
    return `${masked} xor ${mask} = ${hex(character)}  ${character}`;
  });
  return { ...field, says: `Each byte is combined with the key by exclusive or, and becomes: ${text}`, list: sums };
}

function unmask(payload, mask) {
  const plain = (character, at) => character.charCodeAt(0) ^ mask.charCodeAt(at % 4);
  return String.fromCharCode(...Array.from(payload, plain));
}

function spaced(byte, ...cuts) {
  const all = bits(byte);
  return [0, ...cuts].map((cut, index) => all.slice(cut, cuts[index])).join(" ");
}

function bits(byte) {
  return byte.toString(2).padStart(8, "0");
}
