// One exchange in one mode, for its bytes: what this page sends and gets, as the server saw it. No DOM.

import { PATH as LONG } from "../lanes/long-polling.js";
import { publish } from "../lanes/publish.js";
import { PATH as SHORT } from "../lanes/short-polling.js";
import { PATH as WS } from "../lanes/websocket.js";

const PATHS = { short: SHORT, long: LONG, ws: WS };
const DRAFT = { sender: "wire", text: "hello" };

const reader = `wire.${Math.random().toString(36).slice(2, 10)}`;  // one for all of a page's exchanges

/** Bring one message through a mode, or ask where there is nothing new; resolve to GET /class/wire's answer. */
export async function exchange(room, mode, { news }) {
  const { epoch, head } = await (await fetch("/class", { cache: "no-store" })).json();
  const query = new URLSearchParams({ after: head, epoch, reader });
  const socket = await (mode === "ws" ? converse(query, news) : poll(mode, query, news));
  try {
    return await room.wire(reader);
  } finally {
    socket?.close();  // only now: the server shows the frames of a socket, and it has had its say
  }
}

async function poll(mode, query, news) {
  if (mode === "long") query.set("hold_s", news ? 25 : 1);
  if (mode === "short" && news) await publish(DRAFT.sender, DRAFT.text);
  const answer = fetch(`${PATHS[mode]}?${query}`);  // as the lanes ask: an option would be two headers more
  if (mode === "long" && news) await publish(DRAFT.sender, DRAFT.text);
  await (await answer).arrayBuffer();
}

// The first frame says where the reader is; the message comes back as the next.
function converse(query, news) {
  const url = new URL(`${PATHS.ws}?${query}`, location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return new Promise((done, fail) => {
    const socket = new WebSocket(url);
    let frames = 0;
    socket.onmessage = () => {
      frames += 1;
      if (frames === 1 && news) socket.send(JSON.stringify(DRAFT));
      else done(socket);
    };
    socket.onclose = () => fail(new Error("the socket could not be opened, or was closed too soon"));
  });
}
