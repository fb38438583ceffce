// Read the feed by WebSocket, from a cursor on, and come back after a close. No DOM here.

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15000;

/** Open the feed. `on` has message(message), open(), closed(pause_ms), gap(notice) and refused(text). */
export function openFeed(url, on) {
  let socket;
  let hello = null;
  let pause_ms = FIRST_PAUSE_MS;

  connect();
  return { say };

  function connect() {
    const query = hello ? `?after=${hello.cursor}&epoch=${hello.epoch}` : "?after=0";
    socket = new WebSocket(url + query);
    socket.onmessage = (event) => hear(JSON.parse(event.data));
    socket.onclose = () => {
      // Full jitter: a crowd that lost its server together does not come back together.
      const wait_ms = Math.random() * pause_ms;
      pause_ms = Math.min(Math.max(pause_ms * 2, FIRST_PAUSE_MS), LONGEST_PAUSE_MS);
      on.closed(wait_ms);
      setTimeout(connect, wait_ms);
    };
  }

  function hear(frame) {
    if ("id" in frame) {
      hello.cursor = frame.id;
      on.message(frame);
    } else if ("oldest" in frame) {
      hello = { epoch: frame.epoch, cursor: frame.oldest - 1 };
      pause_ms = 0;  // what can be read is known: come back for it at once
      on.gap(frame);
    } else if ("error" in frame) {
      on.refused(frame.error);
    } else {
      hello = frame;
      pause_ms = FIRST_PAUSE_MS;
      on.open();
    }
  }

  function say(sender, text) {
    if (socket.readyState !== WebSocket.OPEN) return false;
    socket.send(JSON.stringify({ sender, text }));
    return true;
  }
}
