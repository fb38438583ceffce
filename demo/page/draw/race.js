// Draw the race: one line of time, three arrivals. No network here.

import { svg } from "../class/element.js";
import { milliseconds } from "../class/figures.js";
import { markPath } from "./marks.js";

const GHOSTS = 30;
const TIERS = { short: 0.12, long: 0.34, ws: 0.56 };  // heights of the labels, so that none covers another
const LINE = 0.76;
const LABEL = 12.5;  // units that a label may need
const NONE_YET = "No race yet: send a message, and it arrives three times";
const LONGEST_MS = 30_000;  // what has not come by then is waited for no more
const STEPS_MS = [10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000];

/** Draw into `picture`; `draw(races, at_ms, least_ms)` shows the race of that moment on a scale of `least_ms` or more. */
export function makeRaceLine(picture, modes) {
  const size = { width: 0, height: 0, unit: 16 };
  const running = svg("line", { class: "running" });
  let drawn = "";
  let place = null;
  new ResizeObserver(([{ contentRect: { width, height } }]) => {
    Object.assign(size, { width, height, unit: parseFloat(getComputedStyle(picture).fontSize) });
  }).observe(picture);
  return { draw };

  // All but the running line stands still between two arrivals, so it is made anew only then.
  function draw(races, at_ms, least_ms) {
    const race = races.at(at_ms);
    const ghosts = races.until(at_ms, GHOSTS).filter((each) => each !== race).flatMap((each) => arrived(each, at_ms));
    const seen = race ? arrived(race, at_ms) : [];
    const elapsed_ms = race ? at_ms - race.sent_ms : 0;
    const isOn = race !== undefined && seen.length < Object.keys(modes).length && elapsed_ms < LONGEST_MS;
    const longest_ms = scaleFor([...[...ghosts, ...seen].map(([, ms]) => ms), isOn ? elapsed_ms : 0], least_ms);
    const state = `${race?.sent_ms} ${seen} ${ghosts.length} ${isOn} ${longest_ms} ${size.width} ${size.height}`;
    if (size.width === 0) return;
    if (state !== drawn) {
      drawn = state;
      place = placeOn(size, longest_ms);
      show(race, ghosts, seen, isOn);
      picture.setAttribute("aria-label", words(race, seen, modes));
    }
    if (isOn) running.setAttribute("x2", place.x(elapsed_ms));
  }

  function show(race, ghosts, seen, isOn) {
    for (const [name, value] of Object.entries({ x1: place.x(0), y1: place.y, y2: place.y })) running.setAttribute(name, value);
    picture.replaceChildren(
      ...axis(place), ...ghosts.map((one) => ghost(place, one)), ...(isOn ? [running] : []),
      ...seen.map((one) => leader(place, one)), ...seen.map((one) => arrival(place, one)),
      ...seen.map((one) => label(place, one, modes)),
      ...(race ? [] : [svg("text", { class: "tick", x: place.x(0), y: place.y - place.unit }, NONE_YET)]),
    );
  }
}

function placeOn({ width, height, unit }, longest_ms) {
  return { x: (ms) => unit + (width - 2 * unit) * Math.min(1, ms / (longest_ms * 1.08)), y: height * LINE, width, height, unit, longest_ms };
}

// It grows by steps: with each millisecond it would be another picture in each frame.
function scaleFor(all_ms, least_ms) {
  const longest_ms = Math.max(...all_ms);
  let scale_ms = least_ms;
  while (scale_ms < longest_ms) scale_ms *= 1.5;
  return scale_ms;
}

function arrived({ sent_ms, arrivals }, at_ms) {
  return Object.entries(arrivals).filter(([, ms]) => sent_ms + ms <= at_ms);
}

function axis({ x, y, width, unit, longest_ms }) {
  const step_ms = STEPS_MS.find((step) => longest_ms / step <= 6) ?? STEPS_MS.at(-1);
  const ticks = Array.from({ length: Math.floor(longest_ms * 1.08 / step_ms) + 1 }, (_, index) => index * step_ms);
  return [
    svg("line", { class: "axis", x1: x(0), x2: width - unit, y1: y, y2: y }),
    ...ticks.flatMap((ms) => [
      svg("line", { class: "axis", x1: x(ms), x2: x(ms), y1: y - unit * 0.3, y2: y + unit * 0.3 }),
      svg("text", { class: "tick", x: x(ms), y: y + unit * 1.2, "text-anchor": "middle" }, ms === 0 ? "sent" : milliseconds(ms)),
    ]),
  ];
}

function ghost({ x, y, unit }, [mode, ms]) {
  return svg("path", { class: "ghost", "data-mode": mode, d: markPath(mode, unit * 0.3), transform: `translate(${x(ms)} ${y})` });
}

function leader({ x, y, height }, [mode, ms]) {
  return svg("line", { class: "leader", "data-mode": mode, x1: x(ms), x2: x(ms), y1: y, y2: height * TIERS[mode] });
}

function arrival({ x, y, unit }, [mode, ms]) {
  return svg("path", { class: "arrival", "data-mode": mode, d: markPath(mode, unit * 0.55), transform: `translate(${x(ms)} ${y})` });
}

function label({ x, width, height, unit }, [mode, ms], modes) {
  const [anchor, aside] = beside(x(ms), width, unit * LABEL);
  const place = { x: x(ms) + unit * aside, y: height * TIERS[mode] + unit * 0.35 };
  return svg("text", { ...place, class: "time", "data-mode": mode, "text-anchor": anchor },
    svg("tspan", { class: "name" }, modes[mode].name), ` ${milliseconds(ms)}`);
}

// On the right if there is room, else on the left; on a phone there may be room on neither side.
function beside(x, width, size) {
  if (x + size <= width) return ["start", 0.6];
  return x >= size ? ["end", -0.6] : ["middle", 0];
}

function words(race, seen, modes) {
  if (!race) return NONE_YET;
  return `The race: ${seen.map(([mode, ms]) => `${modes[mode].name} after ${milliseconds(ms)}`).join(", ") || "sent"}`;
}
