// WebSocket: open once, take whatever comes for as long as it stays open. No DOM here.

export const PATH = "/ws";

/** Read the feed until the lane is stopped. */
export async function read(lane) {
  while (!lane.stopped) {
    const exchange = lane.asked();
    try {
      await listen(lane, exchange);
      await lane.pause(0);
    } catch {
      await lane.comeBack(exchange);
    }
  }
}

function listen(lane, exchange) {
  const socket = new WebSocket(lane.url(PATH).replace("http", "ws"));
  const close = () => socket.close();
  lane.signal.addEventListener("abort", close);
  return new Promise((closed, lost) => {
    socket.onmessage = ({ data }) => lane.heard(exchange, JSON.parse(data));
    socket.onclose = ({ code }) => (code === GAP_CODE ? closed() : lost(new Error(`closed: ${code}`)));
    // No socket tells its page that the network has swallowed its other end, and a close waits for that end, for a minute.
    lane.doubt = () => {
      socket.onmessage = null;
      close();
      lost(new Error("silent"));
    };
  }).finally(() => lane.signal.removeEventListener("abort", close));
}

const GAP_CODE = 4410;  // what a gap leaves to read is known by then: open again at once
