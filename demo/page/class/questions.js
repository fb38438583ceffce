// What the class is asked before a run, and where the run's answer to it stands. Only words and numbers here.

import { number } from "./figures.js";
import { MODES } from "./modes.js";

export const RATES = { off: 0, quiet: 1 / 3, lively: 2, storm: 20 };

/** The questions for the settings that the run will have; `measured(result, mode)` is the run's answer. */
export function questionsFor(settings) {
  const rate = talk(settings.chatter);
  const asking = `A phone asks by short polling, and pauses ${number(settings.interval_s)} s between two questions.`;
  return [
    {
      name: "requests_per_minute", title: "Requests of one reader in a minute", unit: "requests", most: 1e6,
      ask: `${asking} How many requests does it send in a minute?`,
      measured: (result, mode) => result[mode]?.requests_per_reader_minute ?? null,
    },
    {
      name: "latency_ms", title: "How late a message is on average", unit: "ms", most: 1e6,
      ask: "And how late does it hear of a message, on average? 1000 ms are a second.",
      measured: (result, mode) => result[mode]?.latency_mean_ms ?? null,
    },
    {
      name: "fewest_bytes", title: "Bytes for each message", unit: "bytes",
      ask: `${rate}: which mode needs the fewest bytes for each message?`, modes: MODES,
      measured: (result, mode) => result[mode]?.bytes_per_delivery ?? null,
    },
  ];
}

/** The chatter that a run will have: with none there is nothing to measure. */
export function chatterOf(settings) {
  return settings.chatter === "off" ? "lively" : settings.chatter;
}

function talk(chatter) {
  return { quiet: "With a message every 3 seconds", storm: "With 20 messages a second" }[chatter] ?? "With 2 messages a second";
}
