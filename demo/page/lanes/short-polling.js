// Short polling: ask, take what there is at once, wait for the interval, ask again. No DOM here.

export const PATH = "/short-poll";

/** Read the feed until the lane is stopped. */
export async function read(lane) {
  while (!lane.stopped) {
    const exchange = lane.asked();
    try {
      await ask(lane, exchange);
      await lane.pause(lane.settings().interval_s);
    } catch {
      await lane.comeBack(exchange);
    }
  }
}

async function ask(lane, exchange) {
  await lane.answered(exchange, await lane.fetch(PATH));
}
