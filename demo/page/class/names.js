// Who a phone is: a random name for the server's counts, and a friendly one for the chat. Kept for this tab alone.

import { keep, recall } from "./kept.js";

const KEY = "polling-vs-websocket reader";
const COLOURS = ["amber", "blue", "coral", "green", "grey", "indigo", "jade", "olive", "plum", "teal", "violet", "white"];
const ANIMALS = ["badger", "crane", "finch", "fox", "hare", "heron", "lynx", "newt", "otter", "owl", "seal", "swift", "toad", "wren"];

/** This tab's reader, the same after a reload: {reader, name}. */
export function whoAmI() {
  const kept = recall("sessionStorage", KEY);
  if (kept) return kept;
  const made = { reader: `phone.${letters(10)}`, name: `${pick(COLOURS)} ${pick(ANIMALS)}` };
  keep("sessionStorage", KEY, made);
  return made;
}

function letters(count) {
  return Array.from({ length: count }, () => pick("abcdefghijkmnpqrstuvwxyz23456789")).join("");
}

function pick(things) {
  return things[Math.floor(Math.random() * things.length)];
}
