// The three modes in their order, by the names that people read.

export const MODES = ["short", "long", "ws"];

export const NAMES = { short: "Short polling", long: "Long polling", ws: "WebSocket" };
