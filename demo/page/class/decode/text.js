// Between bytes (a string of one character each) and text. Nothing else.

export function bytesOf(string) {
  return Uint8Array.from(string, (character) => character.charCodeAt(0));
}

export function textOf(string) {
  return new TextDecoder().decode(bytesOf(string));
}
