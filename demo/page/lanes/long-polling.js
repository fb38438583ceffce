// Long polling: ask, wait until there is news or the hold ends, ask again at once. No DOM here.

export const PATH = "/long-poll";

/** Read the feed until the lane is stopped. */
export async function read(lane) {
  while (!lane.stopped) {
    const exchange = lane.asked();
    try {
      await ask(lane, exchange);
      await lane.pause(lane.hold_s === 0 ? UNHELD_PAUSE_S : 0);
    } catch {
      await lane.comeBack(exchange);
    }
  }
}

async function ask(lane, exchange) {
  await lane.answered(exchange, await lane.fetch(PATH, { hold_s: lane.hold_s }));
}

// Without a hold this loop would ask as fast as the server answers; a classroom's server is spared.
export const UNHELD_PAUSE_S = 0.05;
