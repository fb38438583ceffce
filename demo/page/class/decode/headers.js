// What each header of a poll and of an upgrade is for, in a sentence. Only words here.

const MASKED = "Its value is a secret: the server shows as many asterisks instead.";

export const SAYS = {
  "accept": "What the page can use of an answer: anything.",
  "accept-encoding": "The ways in which the answer may be compressed.",
  "accept-language": "The languages that this browser's user prefers. Sent each time, though no message needs it.",
  "authorization": `A proof of who is asking. ${MASKED}`,
  "cache-control": "Nobody on the way may keep this or answer from what was kept: news must be new.",
  "connection": "What becomes of the connection afterwards: kept for the next request, or closed.",
  "content-length": "How many bytes the body has. Without it nobody would know where the answer ends.",
  "content-type": "What the body is.",
  "cookie": `What programs of this host once asked this browser to send along, with every single request. ${MASKED}`,
  "date": "When the server answered.",
  "dnt": "The wish not to be followed.",
  "host": "Which site is meant: one address may serve many.",
  "if-none-match": "Which version the browser has already.",
  "keep-alive": "How long an idle connection is kept.",
  "origin": "Which page is asking. The server refuses pages that are not its own.",
  "proxy-authorization": `A proof of who is asking, for a proxy on the way. ${MASKED}`,
  "priority": "How urgent this answer is to the browser, beside others.",
  "pragma": "The same as Cache-Control, for servers from before 1997.",
  "referer": "The page that the request comes from.",
  "sec-fetch-dest": "What the answer is wanted for.",
  "sec-fetch-mode": "The rules that the browser puts on this request.",
  "sec-fetch-site": "Whether the page asking comes from the same site.",
  "sec-gpc": "The wish that no data be sold.",
  "sec-websocket-accept": "The proof that the server understood the upgrade: worked out from the key.",
  "sec-websocket-extensions": "What may be agreed beyond the standard, such as compressed frames.",
  "sec-websocket-key": "16 random bytes in Base64. They are no secret: the server has to answer to them.",
  "sec-websocket-version": "The version of the protocol: 13, the only one in use.",
  "server": "The name of the server's software.",
  "upgrade": "The protocol that this connection is to speak from here on.",
  "user-agent": "Which browser this is, in a form that grew for thirty years.",
};

/** Say what a header is for. */
export function says(name) {
  const known = SAYS[name.toLowerCase()];
  if (known !== undefined) return known;
  if (/^sec-ch-/i.test(name)) return "What the browser tells of itself and its machine.";
  return "A header that this page has no words for.";
}
