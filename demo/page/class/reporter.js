// Report what one reader saw, every 2 s: raw rows with the server's stamps, no averages. No DOM.

const EVERY_MS = 2000;
const ROWS = 400;  // of each kind in one report
const KEPT = 4000;  // while the server does not answer; then the oldest go

/** Report for a reader; `hear(event)` takes a lane's events, `use(mode)` begins another mode. */
export function makeReporter({ room, reader, mode }) {
  let requests = [];
  let deliveries = [];
  let failures = 0;
  let timer = setTimeout(send, EVERY_MS);
  let sending = false;

  return { hear, use, stop: () => clearTimeout(timer) };

  function use(next) {
    mode = next;
    [requests, deliveries] = [[], []];
  }

  function hear({ kind, at_ms, exchange, message }) {
    if (kind === "delivered") keep(deliveries, { message, at_ms });
    else if (kind === "answered" && mode !== "ws") request(exchange);
    else if (kind === "opened") request({ ...exchange, ended_ms: at_ms, messages: 0 });
    else if (kind === "failed" && exchange.status === 0) {
      failures += 1;
      request(exchange);
    }
  }

  // A page cannot see its connections: one that stays is taken to have stayed until something failed.
  function request(exchange) {
    const anew = mode === "ws" || room.state?.settings.keepalive === false;
    keep(requests, { ...exchange, connection: anew ? exchange.number : failures + 1 });
  }

  async function send() {
    if (!sending) await attempt();
    timer = setTimeout(send, EVERY_MS);
  }

  async function attempt() {
    const error_ms = room.clock_error_ms();
    if (error_ms === null) return;
    sending = true;
    const rows = { requests: requests.slice(0, ROWS), deliveries: deliveries.slice(0, ROWS) };
    try {
      const answer = await room.report(report(rows, error_ms));
      requests = requests.filter((row) => !rows.requests.includes(row));
      deliveries = deliveries.filter((row) => !rows.deliveries.includes(row));
      room.adopt(answer);
    } catch (error) {
      room.lose(error);
    }
    sending = false;
  }

  // Stamps are put on the server's clock only now: the estimate has become better since.
  function report(rows, clock_error_ms) {
    return {
      reader, mode, clock_error_ms,
      requests: rows.requests.map(({ asked_ms, ended_ms, status, messages, connection }) => [
        room.server_ns(asked_ms), room.server_ns(ended_ms), status, messages, connection,
      ]),
      deliveries: rows.deliveries.map(({ message, at_ms }) => [
        message.id, message.published_ns, message.sent_ns, room.server_ns(at_ms),
      ]),
    };
  }
}

function keep(rows, row) {
  rows.push(row);
  if (rows.length > KEPT) rows.shift();
}
