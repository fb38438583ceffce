// Live, pause, step, scrub, speed: with the mouse and from the keyboard. No network here.

import { element, write } from "../class/element.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4];
const LATE_MS = 150;

/** Join the bar `bar` to `view`; `show(at_ms, here_ms)` brings it to a moment. */
export function makePlayback(bar, view, store) {
  const part = (name) => bar.querySelector(`[name="${name}"]`);
  const stage = bar.closest("#stage");
  part("speed").append(...SPEEDS.map((speed) => element("option", { value: speed, textContent: `× ${speed}` })));

  const actions = {
    back: () => step(true), toggle: () => view.toggle(), step: () => step(false), live: () => view.live(),
  };
  for (const [name, action] of Object.entries(actions)) part(name).addEventListener("click", action);
  part("speed").addEventListener("change", ({ target }) => view.setSpeed(Number(target.value)));
  part("moment").addEventListener("input", ({ target }) => seek(performance.now() + Number(target.value) * 1000));
  addEventListener("keydown", (event) => {
    const action = KEYS[event.key];
    if (!action || event.ctrlKey || event.altKey || event.metaKey || !isMeant(event.target)) return;
    event.preventDefault();
    actions[action]();
  });
  return { show };

  // Keys move the lanes when the focus is on them, or on nothing while they are in view: a control has its own use of keys.
  function isMeant(target) {
    if (target === document.body) return stage.getBoundingClientRect().bottom > 0;
    return stage.contains(target) && target.closest(TAKES_KEYS) === null;
  }

  function step(back) {
    view.pause();
    const next_ms = store.steps(view.time(), back);
    if (next_ms !== null) seek(next_ms);
  }

  function seek(at_ms) {
    view.seek(Math.max(at_ms, view.oldest()));
  }

  function show(at_ms, here_ms) {
    const ago_ms = here_ms - at_ms;
    write(part("toggle"), view.paused ? "Play" : "Pause");
    write(part("ago"), ago_ms < LATE_MS ? "now" : `${(ago_ms / 1000).toFixed(1)} s ago`);
    part("live").setAttribute("aria-pressed", view.isLive);
    if (document.activeElement !== part("speed")) part("speed").value = view.speed;
    if (!part("moment").matches(":active")) part("moment").value = -ago_ms / 1000;
  }
}

const KEYS = { " ": "toggle", ArrowLeft: "back", ArrowRight: "step", End: "live" };
const TAKES_KEYS = "input, select, textarea, button, a, summary, dialog, [contenteditable]";
