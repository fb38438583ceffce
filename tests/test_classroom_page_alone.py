"""Modules of the pages, each alone: in an empty page, without a server."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from msgspec import convert
from playwright.async_api import Browser, Page

from demo.classroom.reports import Report
from demo.message import MAX_KEY_CHARACTERS, MAX_NS
from tests.classroom_pages import modules

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page that finds the modules where the server has them."""
    async with modules(browser) as page:
        yield page


REFUSED = """async ([mode, body]) => {
  const { openLane } = await import("/page/lanes/lane.js");
  const { NOTES } = await import("/page/lines.js");
  const { makeDoing } = await import("/page/class/doing.js");
  const { makeReporter } = await import("/page/class/reporter.js");
  window.fetch = async () => new Response(body, { status: 429 });
  const rows = [];
  const room = {
    state: null, clock_error_ms: () => 1, server_ns: (ms) => ms,
    report: async ({ requests }) => { rows.push(...requests); },
  };
  const reporter = makeReporter({ room, reader: "r", mode });
  const doing = makeDoing(mode);
  const note = await new Promise((done) => {
    const on = (event) => {
      for (const each of [doing, reporter]) each.hear(event);
      if (event.kind === "failed") done(NOTES.failed(event));
    };
    const lane = openLane({ mode, reader: "r", settings: () => ({}), on });
    window.stop = () => lane.stop();
  });
  window.stop();
  reporter.part();
  return { note, trouble: doing.trouble(), statuses: rows.map((row) => row[2]) };
}"""


@pytest.mark.parametrize("mode", ["short", "long"])
@pytest.mark.parametrize(
    ("body", "says"),
    [('{"error": "the class is full"}', "the class is full"), ("oh", "the server answered 429")],
)
async def test_a_refusal_is_told_as_one_and_is_no_lost_connection(
    page: Page, mode: str, body: str, says: str
) -> None:
    told: dict[str, Any] = await page.evaluate(REFUSED, [mode, body])
    assert told["note"].startswith(f"Refused: {says}. Tries again in ")
    assert told["trouble"] == f"Refused: {says}"
    assert told["statuses"] == [429]


RETURNED = """async () => {
  const { openLane } = await import("/page/lanes/lane.js");
  const { makeDoing } = await import("/page/class/doing.js");
  const doing = makeDoing("long");
  let here_ms = 0;
  let answer;
  const answers = [
    async () => { throw new TypeError("down"); },
    () => new Promise((done) => { answer = done; }),
    () => new Promise(() => {}),
  ];
  window.fetch = () => answers.shift()();
  window.setTimeout = (action) => { queueMicrotask(action); };
  const said = [];
  return new Promise((done) => {
    const on = (event) => {
      doing.hear(event);
      said.push(doing.sentence(here_ms));
      if (event.kind === "waiting") here_ms = 1000;
      if (event.kind === "verdict") done({ said, away_ms: event.away_ms });
      if (event.kind !== "asked" || event.exchange.number !== 2) return;
      here_ms = 26_000;
      queueMicrotask(() => answer(new Response(null, { status: 204 })));
    };
    openLane({ mode: "long", reader: "r", settings: () => ({}), now: () => here_ms, on });
  });
}"""


async def test_a_long_poll_that_is_held_after_an_absence_is_not_gone(page: Page) -> None:
    told = await page.evaluate(RETURNED)
    assert told["said"][2].startswith("The server is gone. Trying again")
    assert told["said"][3] == "has asked again; no answer yet"
    assert told["away_ms"] == 1000


SILENCE = """async () => {
  const { openLane } = await import("/page/lanes/lane.js");
  const { publish } = await import("/page/lanes/publish.js");
  const { openRoom } = await import("/page/class/room.js");
  window.fetch = (url, { signal }) => new Promise((done, fail) => {
    const end = () => fail(signal.reason);
    if (signal.aborted) end();
    signal.addEventListener("abort", end);
  });
  const waits_ms = [];
  const later = window.setTimeout;
  window.setTimeout = (action, wait_ms) => { waits_ms.push(wait_ms); queueMicrotask(action); };
  AbortSignal.timeout = (wait_ms) => {
    waits_ms.push(wait_ms);
    return AbortSignal.abort(new Error("no answer"));
  };
  const given = (promise) => promise.then(() => "answered", (error) => error.message);
  const told = { lanes: {} };
  for (const mode of ["short", "long"]) {
    told.lanes[mode] = await new Promise((done) => {
      later(() => done("waits for ever"), 5000);
      const on = ({ kind, exchange }) => {
        if (kind !== "failed") return;
        lane.stop();
        done([exchange.status, waits_ms.pop()]);
      };
      const lane = openLane({ mode, reader: "r", settings: () => ({ hold_s: 7 }), on });
    });
  }
  window.setTimeout = () => 0;
  const room = openRoom({ polling: false });
  await room.ready;
  told.here = room.here;
  told.others = [await given(room.set({})), await given(publish("ada", "hello"))];
  told.waits_ms = waits_ms;
  return told;
}"""


async def test_an_answer_that_does_not_come_is_not_waited_for_for_ever(page: Page) -> None:
    told = await page.evaluate(SILENCE)
    assert told["lanes"] == {"short": [0, 10_000], "long": [0, 17_000]}
    assert told["here"] is False
    assert told["others"] == ["no answer", "no answer"]
    assert told["waits_ms"] == [10_000, 10_000, 25_000]


REPORTED = """async () => {
  const { makeReporter } = await import("/page/class/reporter.js");
  Date.now = () => 8.64e15;
  window.setTimeout = () => 0;
  let reported;
  const room = {
    clock_error_ms: () => 1, server_ns: (ms) => ms,
    async report(made) { reported = JSON.stringify(made); },
  };
  const reporter = makeReporter({ room, reader: "r", mode: "ws" });
  for (const sent_ns of [7, 5e18]) {
    reporter.hear({ kind: "delivered", at_ms: 1, message: { id: 1, published_ns: 2, sent_ns } });
  }
  reporter.part();
  return reported;
}"""


async def test_neither_a_publishers_stamp_nor_the_pages_clock_makes_a_report_invalid(
    page: Page,
) -> None:
    report = convert(json.loads(await page.evaluate(REPORTED)), Report)
    assert [row.sent_ns for row in report.deliveries] == [7, MAX_NS]


SAID = """async () => {
  const { makeTalk } = await import("/page/class/talk.js");
  delete Crypto.prototype.randomUUID;  // as over http
  document.body.innerHTML = `<ol></ol><form>
    <input name="sender" value="ada"><input name="text"><button name="send"></button>
    </form><p></p>`;
  const [list, form, told] = document.body.children;
  makeTalk({ list, form, told });
  const keys = [];
  let answers = true;
  window.fetch = async (url, { body }) => {
    keys.push(JSON.parse(body).key);
    if (!answers) throw new TypeError("lost");
    return new Response("{}", { status: 201 });
  };
  const type = (text) => {
    form.text.value = text;
    form.text.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const send = async () => {
    const enabled = new Promise((done) => {
      new MutationObserver(() => { if (!form.send.disabled) done(); })
        .observe(form.send, { attributes: true });
    });
    form.requestSubmit();
    await enabled;
  };
  const say = async (text, is_answered) => {
    if (text !== null) type(text);
    answers = is_answered;
    await send();
  };
  await say("hi", false);
  await say(null, false);
  await say(null, true);
  await say("hi", true);  // a second one, which is meant
  await say("lost", false);
  type("");
  await say("lost", true);  // the first has been heard, and it is said once more
  return { keys, told: told.textContent };
}"""


async def test_what_is_sent_again_since_no_answer_came_has_its_key_and_nothing_else_has(
    page: Page,
) -> None:
    told = await page.evaluate(SAID)
    hi, again, answered, second, *others = told["keys"]
    assert hi == again == answered
    assert len({hi, second, *others}) == 4
    assert all(1 <= len(key) <= MAX_KEY_CHARACTERS for key in told["keys"])
    assert told["told"] == ""


OVERTAKEN = """async () => {
  const { makeRaceForm } = await import("/page/controls/race.js");
  const { makeRaces } = await import("/page/races.js");
  document.body.innerHTML = `<form><input name="sender"><input name="text" value="hello">
    <p class="problem"></p></form>`;
  const form = document.body.firstChild;
  const arrivals = {};
  const races = makeRaces(["ws"], { arrivals: (stamp) => arrivals[stamp] ?? {} });
  let here_ms = 0;
  makeRaceForm(form, races, () => here_ms, "ada");
  const problem = form.querySelector("p");
  const said = [];
  const send = async (answer) => {
    window.fetch = answer;
    const told = new Promise((done) => { form.elements.text.select = done; });
    form.requestSubmit();
    await told;
    said.push([problem.textContent, races.until(Infinity, 9).length]);
  };
  const published = async () => new Response('{"published_ns": 5}', { status: 201 });
  here_ms = 100;
  await send(async () => { arrivals[5] = { ws: 110 }; throw new TypeError("lost"); });
  here_ms = 200;
  await send(published);
  here_ms = 300;
  arrivals[6] = { ws: 310 };
  await send(async () => new Response('{"published_ns": 6}', { status: 201 }));
  return said;
}"""


async def test_a_message_that_had_arrived_although_no_answer_came_runs_no_race(
    page: Page,
) -> None:
    assert await page.evaluate(OVERTAKEN) == [
        ["Not sent: lost", 0],
        ["It had arrived the first time.", 0],
        ["", 1],
    ]


TURNED = """async () => {
  const { makeTalk } = await import("/page/class/talk.js");
  const { makeTranscript } = await import("/page/draw/transcript.js");
  document.body.innerHTML = `<ol></ol><form></form><p></p><ol></ol>`;
  const [chat, form, told, lane] = document.body.children;
  const messages = [
    { id: 1, sender: "xyz\u202e", text: "abc" }, { id: 2, sender: "xyz", text: "\u05d0\u05d1!" },
  ];
  const { hear } = makeTalk({ list: chat, form, told });
  for (const message of messages) hear(message);
  const entries = messages.map((message) => ({ message }));
  makeTranscript(lane).show({ total: () => 2, numbered: () => entries }, 0);
  await new Promise(requestAnimationFrame);
  const place = (row, letter) => {
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const at = walker.currentNode.data.indexOf(letter);
      if (at < 0) continue;
      const range = document.createRange();
      range.setStart(walker.currentNode, at);
      range.setEnd(walker.currentNode, at + 1);
      return range.getBoundingClientRect();
    }
    return null;
  };
  return [chat, lane].map(({ children: [turning, turned] }) => ({
    letters: [..."xyzabc"].map((letter) => place(turning, letter).x),
    apart: place(turning, "a").left - place(turning, "z").right,
    text: [..."z!\u05d1\u05d0"].map((letter) => place(turned, letter).x),
  }));
}"""


async def test_a_name_that_turns_the_direction_of_writing_turns_nothing_but_itself(
    page: Page,
) -> None:
    for row in await page.evaluate(TURNED):
        assert row["letters"] == sorted(row["letters"])
        assert row["apart"] > 1  # a space
        assert row["text"] == sorted(row["text"])  # which has a direction of its own


COUNTED_ANEW = """async () => {
  const { makeStore } = await import("/page/store.js");
  const store = makeStore(["ws"], () => null);
  const tallies = [[5, 300, 4000], [9, 700, 9000], [1, 100, 200], [2, 150, 600]];
  const anew = tallies.map(([requests, bytes_in, bytes_out], second) => {
    const at_ms = second * 1000;
    return store.count("ws", { requests, bytes_in, bytes_out, cursor_behind: 0 }, at_ms, at_ms);
  });
  const { tally, requests } = store.counters("ws", 4000);
  return { anew, requests, up: tally.bytes_in, down: tally.bytes_out };
}"""


async def test_the_bytes_of_a_lane_go_on_after_a_restart_of_the_server(page: Page) -> None:
    told = await page.evaluate(COUNTED_ANEW)
    assert told == {"anew": [False, False, True, False], "requests": 11, "up": 850, "down": 9600}


TIMED = """async () => {
  const { makeStore } = await import("/page/store.js");
  let known = false;
  const store = makeStore(["ws"], (published_ns) => (known ? published_ns / 1e6 : null));
  const hear = (id, at_ms) => {
    const message = { id, published_ns: (at_ms - 30) * 1e6 };
    store.hear("ws", { kind: "delivered", at_ms, message, rtt_ms: 0 });
  };
  store.hear("ws", { kind: "asked", at_ms: 0, exchange: { asked_ms: 0 } });
  hear(1, 100);
  known = true;
  hear(2, 200);
  return store.counters("ws", 300);
}"""


async def test_while_the_servers_clock_is_not_known_nothing_is_timed(page: Page) -> None:
    told = await page.evaluate(TIMED)
    assert (told["messages"], told["timed"], told["latency_sum_ms"]) == (2, 1, 30)


SLOWLY = """async ([ahead_ms, first_ms]) => {
  const { makeAbsence } = await import("/page/lanes/absence.js");
  let here_ms = 0;
  let timers = [];
  window.setTimeout = (action, wait_ms) => timers.push([here_ms + wait_ms, action]);
  window.clearTimeout = (number) => { timers[number - 1] = [Infinity]; };
  const verdicts = [];
  const toPage = ahead_ms === null ? () => null : (at_ns) => at_ns / 1e6 - ahead_ms;
  const tell = (verdict) => verdicts.push([here_ms, verdict]);
  const absence = makeAbsence(() => here_ms, tell, toPage);
  const pass = (until_ms) => {
    for (; here_ms < until_ms; here_ms += 10) {
      for (const [due_ms, action] of timers) if (due_ms === here_ms) action();
    }
  };
  const take = (at_ms) => absence.take({ published_ns: (at_ms + (ahead_ms ?? 0)) * 1e6 });
  take(-first_ms);
  absence.begin(100, 1);
  pass(3000);
  absence.back(3000, true);
  for (const published_ms of [500, 1000, 1500, 2000]) {
    pass(here_ms + 600);
    take(published_ms);
  }
  pass(here_ms + 5000);
  return verdicts;
}"""


# How far the server's clock is ahead, if that is known, and how long the first message took.
@pytest.mark.parametrize(("ahead_ms", "first_ms"), [(None, 0), (7e6, 0), (7e6, 2900)])
async def test_the_verdict_waits_for_all_that_comes_over_a_slow_line(
    page: Page, ahead_ms: float | None, first_ms: float
) -> None:
    ((told_ms, verdict),) = await page.evaluate(SLOWLY, [ahead_ms, first_ms])
    assert verdict["caught_up"] == 4
    assert (verdict["away_ms"], verdict["lost"]) == (2900, 0)
    assert told_ms == 3000 + 4 * 600 + 1000


STAMPS = """async () => {
  const { makeStore } = await import("/page/store.js");
  const store = makeStore(["short", "ws"], () => null);
  const hear = (mode, at_ms, published_ns) => {
    const message = { id: at_ms, published_ns };
    store.hear(mode, { kind: "delivered", at_ms, message, rtt_ms: 0 });
  };
  hear("ws", 1, 9e9);
  hear("ws", 2, 1e9);
  hear("short", 3, 1e9);
  return [store.arrivals(9e9), store.arrivals(1e9), store.published.length];
}"""


async def test_a_message_whose_stamp_is_older_than_the_last_ones_has_its_arrivals_too(
    page: Page,
) -> None:
    assert await page.evaluate(STAMPS) == [{"ws": 1}, {"short": 3, "ws": 2}, 2]
