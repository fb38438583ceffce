// Six made seconds of each mode, as a list of what crosses the line: the example that the handout draws. No DOM.

export const STORY = { messages_s: [0.7, 2.4, 2.62, 5.1], interval_s: 1, rtt_s: 0.4, start_s: 0.1, end_s: 6.3 };

/**
 * Tell the story in a mode. `crossings` are {up, sent_s, there_s, news}, where `news` counts messages brought down, and
 * `opens` is the answer that only opens a socket;
 * `held` are {from_s, to_s}: a question open at the server, or the socket between both.
 */
export const TELL = { short: tellShort, long: tellLong, ws: tellWs };

function tellShort({ messages_s, interval_s, rtt_s, start_s, end_s }) {
  const crossings = [];
  let read_s = 0;
  for (let asked_s = start_s; asked_s + rtt_s < end_s; asked_s += rtt_s + interval_s) {
    const there_s = asked_s + rtt_s / 2;
    crossings.push(...exchange(asked_s, there_s, there_s + rtt_s / 2, between(messages_s, read_s, there_s)));
    read_s = there_s;
  }
  return { crossings, held: [] };
}

function tellLong({ messages_s, rtt_s, start_s, end_s }) {
  const [crossings, held] = [[], []];
  let [asked_s, read_s] = [start_s, 0];
  while (asked_s + rtt_s / 2 < end_s) {
    const there_s = asked_s + rtt_s / 2;
    const waiting = between(messages_s, read_s, there_s);
    const answered_s = waiting > 0 ? there_s : messages_s.find((at_s) => at_s > there_s) ?? end_s;
    held.push({ from_s: there_s, to_s: answered_s });
    const done_s = answered_s + rtt_s / 2;
    crossings.push(...exchange(asked_s, there_s, done_s, answered_s < end_s ? waiting || 1 : null, answered_s));
    [asked_s, read_s] = [done_s, answered_s];
  }
  return { crossings, held };
}

function tellWs({ messages_s, rtt_s, start_s, end_s }) {
  const open_s = start_s + rtt_s;
  const [upgrade, yes] = exchange(start_s, start_s + rtt_s / 2, open_s, 0);
  const news = messages_s.map((sent_s) => ({ up: false, sent_s, there_s: sent_s + rtt_s / 2, news: 1 }));
  return { crossings: [upgrade, { ...yes, opens: true }, ...news], held: [{ from_s: open_s, to_s: end_s }] };
}

// Without an answer (null) the question is still open when the story ends.
function exchange(asked_s, there_s, done_s, news, answered_s = there_s) {
  const up = { up: true, sent_s: asked_s, there_s, news: 0 };
  return news === null ? [up] : [up, { up: false, sent_s: answered_s, there_s: done_s, news }];
}

function between(messages_s, from_s, to_s) {
  return messages_s.filter((at_s) => at_s > from_s && at_s <= to_s).length;
}
