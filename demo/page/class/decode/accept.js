// How a server proves that it speaks WebSocket: Sec-WebSocket-Accept, step by step (RFC 6455, section 4.2.2).
// SHA-1 is written out, since a page on plain http has no crypto.subtle. It protects nothing here.

export const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Work out the answer to a key: what is joined, its SHA-1 as hexadecimal, and that in Base64. */
export function accept(key) {
  const joined = key + GUID;
  const digest = sha1(joined);
  return { joined, hex: hex(digest), base64: btoa(digest) };
}

/** Hash a string of bytes (one character each) into another of 20 (FIPS 180-4, section 6.1). */
export function sha1(text) {
  let state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  const padded = pad(text);
  for (let at = 0; at < padded.byteLength; at += 64) state = absorb(state, schedule(padded, at));
  return state.map(asBytes).join("");
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.charCodeAt(0).toString(16).padStart(2, "0")).join("");
}

function pad(text) {
  const view = new DataView(new ArrayBuffer(Math.ceil((text.length + 9) / 64) * 64));
  for (let at = 0; at < text.length; at += 1) view.setUint8(at, text.charCodeAt(at));
  view.setUint8(text.length, 0x80);
  view.setUint32(view.byteLength - 4, text.length * 8);
  return view;
}

function schedule(block, start) {
  const words = Array.from({ length: 16 }, (_, index) => block.getUint32(start + index * 4));
  for (let at = 16; at < 80; at += 1) {
    words.push(rotated(words[at - 3] ^ words[at - 8] ^ words[at - 14] ^ words[at - 16], 1));
  }
  return words;
}

function absorb(state, words) {
  let [a, b, c, d, e] = state;
  words.forEach((word, at) => {
    const [mixed, constant] = mix(at, b, c, d);
    [a, b, c, d, e] = [(rotated(a, 5) + mixed + e + constant + word) >>> 0, a, rotated(b, 30), c, d];
  });
  return [a, b, c, d, e].map((value, index) => (value + state[index]) >>> 0);
}

function mix(at, b, c, d) {
  if (at < 20) return [(b & c) | (~b & d), 0x5a827999];
  if (at < 40) return [b ^ c ^ d, 0x6ed9eba1];
  if (at < 60) return [(b & c) | (b & d) | (c & d), 0x8f1bbcdc];
  return [b ^ c ^ d, 0xca62c1d6];
}

function rotated(word, bits) {
  return ((word << bits) | (word >>> (32 - bits))) >>> 0;
}

function asBytes(word) {
  return String.fromCharCode(word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255);
}
