// Of the pages that a browser has open only the newest reads: its tabs share six connections to a server, and each
// long poll takes one for as long as it is held. No network here.

import { element } from "../class/element.js";

const CHANNEL = "polling-vs-websocket projector";
const WHY = "The lanes rest here, since a newer tab shows them: a browser's tabs share six connections to a server, "
  + "and the long poll of each would take one.";

/** Let older pages rest. When a newer one says the same, `rest()`, and say so in `place`, with a button for `goOn()`. */
export function keepNewest(place, rest, goOn) {
  const opened_ms = performance.timeOrigin;
  const channel = new BroadcastChannel(CHANNEL);
  channel.addEventListener("message", hear);
  channel.postMessage(opened_ms);

  function hear({ data: other_ms }) {
    if (other_ms < opened_ms) channel.postMessage(opened_ms);  // it was not there yet when this page said so
    if (other_ms <= opened_ms) return;
    channel.close();
    rest();
    place.replaceChildren(element("div", { className: "rest", role: "status" },
      element("p", { textContent: WHY }), element("button", { type: "button", textContent: "Go on here", onclick: goOn })));
  }
}
