// The chat on a phone: what is said appears as text, what is typed is published. It reads no feed.

import { makePublisher } from "../lanes/publish.js";
import { element } from "./element.js";

const SHOWN = 200;
const NEAR_END_PX = 60;

/** Make the chat in a list and a form; `hear(message)` shows a message, `note(text)` a remark. */
export function makeTalk({ list, form, told }) {
  const publisher = makePublisher();
  let waiting = [];
  form.addEventListener("submit", say);
  form.addEventListener("input", publisher.forget);
  return { hear, note };

  function hear({ sender, text }) {
    // Each by itself: a character that turns the direction of what follows ends with the name, or the text.
    add(element("li", {}, element("b", { textContent: sender, dir: "auto" }), " ", element("bdi", { textContent: text })));
  }

  function note(text) {
    add(element("li", { className: "note", textContent: text }));
  }

  // Drawn once a frame: a burst would be laid out anew for each message.
  function add(item) {
    waiting.push(item);
    if (waiting.length === 1) requestAnimationFrame(draw);
    if (waiting.length > SHOWN) waiting.splice(1, 1);
  }

  function draw() {
    const following = list.scrollTop + list.clientHeight > list.scrollHeight - NEAR_END_PX;
    list.append(...waiting);
    waiting = [];
    while (list.children.length > SHOWN) list.firstChild.remove();
    if (following) list.scrollTop = list.scrollHeight;
  }

  // What could not be sent stays in the field.
  async function say(event) {
    event.preventDefault();
    const text = form.text.value;
    form.send.disabled = true;
    try {
      await publisher.publish(form.sender.value, text);
      if (form.text.value === text) form.text.value = "";
      told.textContent = "";
    } catch (error) {
      told.textContent = `Not sent: ${error.message}`;
    }
    form.send.disabled = false;
    form.text.focus();
  }
}
