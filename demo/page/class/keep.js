// Keep what the class measured: one button downloads it as a log in the project's own format.

import { element, write } from "./element.js";

const SAYS = "A folder of plain CSV: each measured run by mode, with equally many phones of each; under everything/, all "
  + "that was reported. It opens anywhere, and the project draws it. In the project's folder:";
const COMMANDS = "unzip ~/Downloads/class-log.zip -d class-log\n.venv/bin/python -m analysis class-log";
const WHY = "Only the teacher's page can download it.";

/** Fill a section with the download. */
export function mount(section, room) {
  const told = element("p", { className: "note", role: "status" });
  const download = element("button", { type: "button", textContent: "Download the class's log", onclick: fetchLog });
  let collecting = false;
  section.classList.add("keep");
  section.append(
    element("h2", { textContent: "Keep it" }), element("p", { textContent: SAYS }),
    element("pre", {}, element("code", { textContent: COMMANDS })), download, told,
    element("p", {}, element("a", { href: "/handout", target: "_blank", textContent: "The handout" }), ", to print: it holds what was measured."),
  );
  room.onState(() => {
    download.disabled = !room.teacher;
    if (!room.teacher) write(told, WHY);
    else if (told.textContent === WHY) told.textContent = "";
  });

  async function fetchLog() {
    if (collecting) return;
    collecting = true;
    download.setAttribute("aria-disabled", true);  // not `disabled`, which would take the focus away
    told.textContent = "Collecting what was measured: after a long lesson this takes half a minute.";
    try {
      save(await room.log(), "class-log.zip");
      told.textContent = "Downloaded: class-log.zip.";
    } catch (error) {
      told.textContent = `Nothing downloaded: ${error.message}`;
    }
    collecting = false;
    download.setAttribute("aria-disabled", false);
  }
}

// Through a link of the page's own, since the token travels in a header and not in an address.
function save(blob, name) {
  const url = URL.createObjectURL(blob);
  element("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
