// How phones get in: the QR code and the address, as large as the hall needs. No network but the picture's.

import { element } from "./element.js";

const ALONE = "So far only this computer can reach the server. To let the class in, join its network or open a hotspot, "
  + "then stop the server and start it with";

/** Make the invitation; `show(join_url)` fills it in once it is known. */
export function makeInvitation() {
  const small = code();
  const address = element("p", { className: "address" });
  const large = makeLarge();
  const enlarge = element("button", { type: "button", textContent: "Show large", onclick: large.open });
  const words = element("div", {}, element("p", { textContent: "Join with your phone" }), address, enlarge);
  const drawing = element("div", { className: "invitation" }, small, words);
  let shown;
  return { drawing, show };

  function show(join_url) {
    if (join_url === shown) return;
    shown = join_url;
    if (join_url === null) words.replaceChildren(...alone());
    else words.replaceChildren(words.firstChild, address, enlarge);
    small.hidden = join_url === null;
    address.textContent = bare(join_url ?? "");
    large.show(join_url);
    if (join_url !== null) small.src = "/class/join.svg";
  }
}

function makeLarge() {
  const picture = code();
  const address = element("p", { className: "address" });
  const dialog = element("dialog", { className: "large invitation" }, picture, address,
    element("form", { method: "dialog" }, element("button", { textContent: "Close" })));
  dialog.setAttribute("aria-label", "Join with your phone");
  return { open, show };

  function open() {
    document.body.append(dialog);
    dialog.showModal();
  }

  function show(join_url) {
    address.textContent = bare(join_url ?? "");
    if (join_url !== null) picture.src = "/class/join.svg";
  }
}

function code() {
  return element("img", { alt: "QR code of the address below", className: "code" });
}

function alone() {
  return [
    element("p", { textContent: ALONE }),
    element("p", {}, element("code", { textContent: "make demo ARGS=\"--host 0.0.0.0\"" })),
    element("p", {}, "Until then, try it here: ", element("a", { href: "/join", target: "_blank", textContent: "open a reader" }), "."),
  ];
}

// The scheme is what nobody has to type.
function bare(url) {
  return url.replace(/^http:\/\//, "");
}
