// The chat page: show what the feed says, and say what is typed.

import { openFeed } from "./feed.js";

const SHOWN = 500;

const state = document.getElementById("state");
const messages = document.getElementById("messages");
const form = document.getElementById("say");

const url = new URL("ws", location.href);
url.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const feed = openFeed(url.href, {
  message: show,
  open: () => { state.textContent = "connected: one socket, open both ways"; },
  closed: (wait_ms) => { state.textContent = `closed, trying again in ${(wait_ms / 1000).toFixed(1)} s`; },
  gap: (notice) => { note(`Some messages are gone: ${notice.error}`); },
  refused: (text) => { note(`Not sent: ${text}`); },
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (feed.say(form.sender.value, form.text.value)) form.text.value = "";
  form.text.focus();
});

function show(message) {
  const sender = document.createElement("b");
  sender.textContent = message.sender;
  append("", sender, ` ${message.text}`);
}

function note(text) {
  append("note", text);
}

function append(kind, ...parts) {
  const item = document.createElement("li");
  item.className = kind;
  item.append(...parts);
  messages.append(item);
  if (messages.children.length > SHOWN) messages.firstChild.remove();
  messages.scrollTop = messages.scrollHeight;
}
