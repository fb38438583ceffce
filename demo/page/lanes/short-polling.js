// Short polling: ask, take what there is at once, wait for the interval, ask again. No DOM here.

export const PATH = "/short-poll";

/** Read the feed until the lane is stopped. */
export async function read(lane) {
  while (!lane.stopped) {
    const exchange = lane.asked();
    try {
      await ask(lane, exchange);
      await lane.pause(lane.settings().interval_s);
    } catch (error) {
      await lane.comeBack(exchange, error);
    }
  }
}

async function ask(lane, exchange) {
  const response = await fetch(lane.url(PATH), { signal: lane.signal });
  const body = response.status === 204 ? null : await response.json();
  lane.answered(exchange, response.status, body);
}
