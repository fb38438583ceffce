// The modes, in the order they always stand in. A fourth is one file and one row.

import { read as longPolling } from "./long-polling.js";
import { read as shortPolling } from "./short-polling.js";
import { read as webSocket } from "./websocket.js";

export const MODES = {
  short: { name: "Short polling", idea: "asks again and again", read: shortPolling },
  long: { name: "Long polling", idea: "asks, and the server holds the question", read: longPolling },
  ws: { name: "WebSocket", idea: "asks once, then the server speaks", read: webSocket },
};
