"""How long the pages wait for a server that is slow, silent or away."""

import pytest
from playwright.async_api import Page

from tests.test_classroom_page_alone import page

__all__ = ["page"]  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


HUNG = """async (mode) => {
  const { openLane } = await import("/page/lanes/lane.js");
  const later = window.setTimeout;
  const timers = new Map();
  let count = 0;
  window.setTimeout = (action, wait_ms) => {
    timers.set(count += 1, { action, wait_ms });
    return count;
  };
  window.clearTimeout = (number) => { timers.delete(number); };
  const asked = [];
  window.fetch = async (url, { signal }) => {
    let body;
    const stream = new ReadableStream({ start(made) { body = made; } });
    signal.addEventListener("abort", () => body.error(signal.reason));
    asked.push(body);
    return new Response(stream);
  };
  const until = async (is) => {
    for (let turn = 0; turn < 500 && !is(); turn += 1) await new Promise((done) => later(done));
  };
  const armed = () => [...timers.values()].filter(({ wait_ms }) => wait_ms === 10_000);
  const told = [];
  const on = ({ kind, exchange }) => {
    if (!["answered", "failed"].includes(kind)) return;
    told.push([kind, exchange.status, armed().length]);
  };
  const settings = () => ({ interval_s: 1, hold_s: 7 });
  const lane = openLane({ mode, reader: "r", settings, on });
  const write = (body, text) => body.enqueue(new TextEncoder().encode(text));
  const pieces = ['{"epoch": "e", "mess', 'ages": [{"id": 1, "publishe', 'd_ns": 1}]}'];
  const timed = new Set();
  await until(() => asked.length === 1);
  for (const piece of pieces) {
    write(asked[0], piece);
    await until(() => armed().some((each) => !timed.has(each)));
    for (const each of armed()) timed.add(each);
  }
  asked[0].close();
  await until(() => told.length === 1);
  if (mode === "short") timers.get(count).action();  // the interval is over
  await until(() => asked.length === 2);
  write(asked[1], pieces[0]);
  await until(() => armed().length === 1);
  armed()[0]?.action();
  await until(() => told.length === 2);
  lane.stop();
  return { told, timed: timed.size };
}"""


@pytest.mark.parametrize("mode", ["short", "long"])
async def test_an_answer_that_stops_in_its_middle_is_given_up_and_a_slow_one_is_not(
    page: Page, mode: str
) -> None:
    told = await page.evaluate(HUNG, mode)
    assert told["told"] == [["answered", 200, 0], ["failed", 0, 1]]
    assert told["timed"] >= 3  # each piece has its own time


SPARED = """async () => {
  const { openLane } = await import("/page/lanes/lane.js");
  window.setTimeout = (action) => { queueMicrotask(action); };
  const pauses = [];
  for (const mode of ["short", "long"]) {
    for (const [asked, chance] of [["7", 0], ["7", 1], ["1000", 0], ["soon", 0]]) {
      Math.random = () => chance;
      const headers = { "Retry-After": asked };
      window.fetch = async () => new Response("{}", { status: 503, headers });
      pauses.push(await new Promise((done) => {
        const on = ({ kind, pause_ms, longest_ms }) => {
          if (kind !== "failed") return;
          lane.stop();
          done([pause_ms, longest_ms]);
        };
        const lane = openLane({ mode, reader: "r", settings: () => ({}), on });
      }));
    }
  }
  return pauses;
}"""


async def test_a_lane_that_is_refused_comes_back_no_sooner_than_the_server_asks(
    page: Page,
) -> None:
    pauses = [[7000, 7500], [7500, 7500], [60_000, 60_500], [0, 500]]
    assert await page.evaluate(SPARED) == 2 * pauses


GREETED = """async () => {
  const { openLane } = await import("/page/lanes/lane.js");
  Math.random = () => 1;
  window.setTimeout = (action) => { queueMicrotask(action); };
  const hello = { epoch: "e", cursor: 0 };
  const message = { id: 1, published_ns: 1 };
  const gap = { error: "", epoch: "f", oldest: 1, cursor: 1 };
  const lives = [
    [hello], [hello], [hello], [hello, message], [hello], [gap], [hello], [hello, 16_000],
  ];
  let here_ms = 0;
  window.WebSocket = class {
    constructor() { queueMicrotask(() => this.live(lives.shift())); }
    live(frames) {
      for (const frame of frames) {
        if (typeof frame === "number") here_ms += frame;
        else this.onmessage({ data: JSON.stringify(frame) });
      }
      this.onclose({ code: frames.includes(gap) ? 4410 : 1006 });
    }
    close() {}
  };
  const longest_ms = [];
  return new Promise((done) => {
    const on = (event) => {
      if (event.kind !== "failed") return;
      longest_ms.push(event.longest_ms);
      if (lives.length > 0) return;
      lane.stop();
      done(longest_ms);
    };
    const now = () => here_ms;
    const lane = openLane({ mode: "ws", reader: "r", settings: () => ({}), now, on });
  });
}"""


async def test_a_socket_that_is_closed_after_its_greeting_is_opened_ever_more_rarely(
    page: Page,
) -> None:
    closed_at_once, after_a_message, after_a_gap = [500, 1000, 2000], [500, 1000], [500]
    after_a_while = [500]
    assert await page.evaluate(GREETED) == [
        *closed_at_once,
        *after_a_message,
        *after_a_gap,
        *after_a_while,
    ]


PACED = """async () => {
  const { makeReporter } = await import("/page/class/reporter.js");
  const { openRoom } = await import("/page/class/room.js");
  Math.random = () => 1;
  const later = window.setTimeout;
  const sorely = Object.assign(new Error("away"), { status: 503, retry_ms: 3000 });
  const outcomes = [sorely, sorely, sorely, null, null];
  const room = {
    clock_error_ms: () => 1, server_ns: (ms) => ms, adopt() {}, lose() {},
    async report() { if (outcomes.shift()) throw sorely; },
  };
  const told = { reports: [] };
  await new Promise((done) => {
    window.setTimeout = (action, wait_ms) => {
      told.reports.push(wait_ms);
      if (outcomes.length) queueMicrotask(action);
      else done();
    };
    makeReporter({ room, reader: "r", mode: "short" });
  });
  const waits = { 200: [], 503: [] };
  for (const status of [200, 503]) {
    const headers = { "Retry-After": "3" };
    window.fetch = async () => new Response('{"now_ns": 1}', { status, headers });
    await new Promise((done) => {
      window.setTimeout = (action, wait_ms) => {
        if (waits[status].push(wait_ms) >= 8) done();
        else queueMicrotask(action);
      };
      openRoom();
    });
  }
  return { ...told, asked: waits };
}"""


async def test_reports_and_questions_are_not_in_step_and_are_rarer_while_the_server_is_away(
    page: Page,
) -> None:
    told = await page.evaluate(PACED)
    assert told["reports"] == [2400, 7000, 11_000, 13_000, 2400, 2400]
    assert set(told["asked"]["200"]) == {1200, 6000}
    asked = [wait for wait in told["asked"]["503"] if wait not in (1200, 6000)]
    assert {5000, 13_000} <= set(asked)
    assert set(asked) <= {5000, 7000, 11_000, 13_000, 18_000}


PACE = """async () => {
  const { makePace } = await import("/page/lanes/backoff.js");
  const waits = [];
  for (const chance of [0, 1]) {
    const pace = makePace(1000, () => chance);
    const fails = () => pace(new Error("down"));
    waits.push([pace(), fails(), fails(), fails(), fails(), fails(), pace(), fails()]);
  }
  return waits;
}"""


async def test_a_pace_is_drawn_from_all_of_a_range_that_grows_with_each_failure(
    page: Page,
) -> None:
    assert await page.evaluate(PACE) == [
        [800, 0, 0, 0, 0, 0, 800, 0],
        [1200, 2000, 4000, 5000, 5000, 5000, 1200, 2000],
    ]


DOUBTED = """async () => {
  const { openLane } = await import("/page/lanes/lane.js");
  let here_ms = 0;
  const sockets = [];
  window.WebSocket = class {
    constructor() { sockets.push(this); }
    say(...frames) { for (const data of frames) this.onmessage?.({ data: JSON.stringify(data) }); }
    close() {}  // the other end is gone: for a minute, nothing comes of it
  };
  window.setTimeout = (action) => { queueMicrotask(action); };
  const settled = async () => { for (let turn = 0; turn < 20; turn += 1) await null; };
  const message = (id) => ({ id, published_ns: id });
  const seen = [];
  const on = ({ kind, message }) => { if (kind === "delivered") seen.push(message.id); };
  const lane = openLane({
    mode: "ws", reader: "r", settings: () => ({}), now: () => here_ms, on, from: 2, epoch: "e",
  });
  const look = async (wait_ms, feed) => {
    here_ms += wait_ms;
    lane.compare(feed);
    await settled();
    return sockets.length;
  };
  const hello = { epoch: "e", cursor: 2 };
  const told = {};
  sockets[0].say(hello);
  const level = { epoch: "e", head: 2 };
  told.quiet = [await look(0, level), await look(60_000, level)];
  const ahead = { epoch: "e", head: 4 };
  told.late = [await look(0, ahead), await look(9000, ahead)];
  sockets[0].say(message(3));
  told.slow = [await look(2000, ahead), await look(9000, ahead)];
  told.dead = await look(1000, ahead);
  sockets[0].say(message(4));  // too late: the next one has it
  sockets[1].say(hello);
  told.again = [await look(0, ahead), await look(19_000, ahead), await look(1000, ahead)];
  sockets[2].say(hello, message(4));
  const anew = { epoch: "f", head: 0 };
  told.anew = [await look(0, anew), await look(10_000, anew)];
  lane.stop();
  return { ...told, seen };
}"""


async def test_a_socket_that_brings_nothing_while_the_feed_moves_on_is_opened_anew(
    page: Page,
) -> None:
    assert await page.evaluate(DOUBTED) == {
        "quiet": [1, 1],
        "late": [1, 1],
        "slow": [1, 1],
        "dead": 2,
        "again": [2, 2, 3],  # over a slow line a long message has twice as long
        "anew": [3, 4],
        "seen": [3, 4],
    }


DOUBTS = """async () => {
  const { makeDoubt } = await import("/page/lanes/doubt.js");
  let now_ms = 0;
  const doubt = makeDoubt(() => now_ms);
  const told = [];
  const wait = (ms) => {
    doubt.due(true);
    now_ms += ms;
    told.push(doubt.due(true));
  };
  wait(10_000);
  wait(12_000);  // it comes at last
  doubt.heard();
  wait(12_000);
  doubt.heard();
  wait(1000);
  doubt.heard();
  wait(12_000);
  return told;
}"""


async def test_a_line_that_was_slow_keeps_its_patience_until_it_is_quick(page: Page) -> None:
    assert await page.evaluate(DOUBTS) == [True, False, False, False, True]
