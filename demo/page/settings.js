// The class's settings as the page offers them, and as an address says them. No DOM and no network here.

export const SETTINGS = {
  interval_s: { start: 1, choices: [0.2, 0.5, 1, 2, 5, 10], words: (value) => `${value} s`, parse: number },
  hold_s: { start: 25, choices: [1, 5, 10, 25, 60], words: (value) => `${value} s`, parse: number },
  chatter: { start: "off", choices: ["off", "quiet", "lively", "storm"], words: (value) => CHATTERS[value] ?? value, parse: (text) => (text in CHATTERS ? text : null) },
  rtt_ms: { start: 0, choices: [0, 20, 50, 100, 300, 1000, 2000], words: (value) => (value ? `${value} ms` : "none"), parse: number },
  keepalive: { start: true, parse: flag },
  cursor: { start: true, parse: flag },
  hold: { start: true, parse: flag },
  stage: { start: "chat", parse: (text) => (STAGES.includes(text) ? text : null) },
};

const STAGES = ["chat", "guess", "run", "reveal"];
export const CHATTERS = { off: "off", quiet: "quiet, 1 in 3 s", lively: "lively, 2/s", storm: "storm, 20/s" };

export const STARTS = Object.fromEntries(Object.entries(SETTINGS).map(([name, { start }]) => [name, start]));

/** The settings that an address's query asks for; what it says wrongly is left out. */
export function fromQuery(query) {
  const said = new URLSearchParams(query);
  const asked = Object.entries(SETTINGS).map(([name, { parse }]) => [name, said.has(name) ? parse(said.get(name)) : null]);
  return Object.fromEntries(asked.filter(([, value]) => value !== null));
}

/** `query` with `settings` in it, those that stand as they start left out. */
export function toQuery(query, settings) {
  const said = new URLSearchParams(query);
  for (const [name, start] of Object.entries(STARTS)) {
    const value = settings[name] ?? start;
    if (value === start) said.delete(name);
    else said.set(name, typeof value === "boolean" ? (value ? "on" : "off") : value);
  }
  return said.toString();
}

function number(text) {
  const value = Number(text);
  return text.trim() !== "" && Number.isFinite(value) && value >= 0 ? value : null;
}

function flag(text) {
  return { on: true, off: false, true: true, false: false }[text] ?? null;
}
