// The chat page: show what the feed says, and say what is typed.

import { openFeed } from "./feed.js";

const SHOWN = 500;
const NEAR_END_PX = 40;

const state = document.getElementById("state");
const messages = document.getElementById("messages");
const form = document.getElementById("say");
let following = false;

const url = new URL("ws", location.href);
url.protocol = location.protocol === "https:" ? "wss:" : "ws:";

const feed = openFeed(url.href, {
  message: show,
  open: () => { tell(true, "connected: one socket, open both ways"); },
  closed: (pause_ms) => { tell(false, `closed, trying again in ${(pause_ms / 1000).toFixed(1)} s`); },
  gap: (notice) => { note(`Some messages are gone: ${notice.error}`); },
  refused: (text) => { note(`Not sent: ${text}`); },
});

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (feed.say(form.sender.value, form.text.value)) form.text.value = "";
  form.text.focus();
});

function tell(open, text) {
  state.textContent = text;
  state.classList.toggle("open", open);
  form.send.disabled = !open;  // what is typed meanwhile stays
}

function show(message) {
  const sender = document.createElement("b");
  sender.textContent = message.sender;
  append("", sender, ` ${message.text}`);
}

function note(text) {
  append("note", text);
}

function append(kind, ...parts) {
  follow();
  const item = document.createElement("li");
  item.className = kind;
  item.append(...parts);
  messages.append(item);
  if (messages.children.length > SHOWN) messages.firstChild.remove();
}

// Show what is being appended, unless the reader has scrolled up to read. Asked once a frame and
// not once a message: a burst would be laid out anew for each.
function follow() {
  if (following) return;
  const end = messages.scrollHeight - messages.clientHeight;
  if (messages.scrollTop < end - NEAR_END_PX) return;
  following = true;
  requestAnimationFrame(() => {
    following = false;
    messages.scrollTop = messages.scrollHeight;
  });
}
