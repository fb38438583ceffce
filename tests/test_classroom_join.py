"""A student's phone: it takes a mode, chats, and reports what its reading costs."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, Route, expect

from tests.classroom_pages import (
    LAPTOP,
    MARKUP,
    MODES,
    PAGE,
    PHONE,
    REFUSE_STORAGE,
    SOON_MS,
    TEACHER,
    TOKEN,
    Watch,
    ask_until,
    join,
    modules,
    opened,
    phone,
    say,
    shoot,
)
from tests.conftest import Demo, StartDemo

# The first socket has been swallowed by the network once it has greeted, and says nothing of it.
DEAF = """const Open = WebSocket;
let deaf = true;
window.WebSocket = class extends Open {
  constructor(url) {
    super(url);
    if (!deaf) return;
    deaf = false;
    this.addEventListener("message", (event) => {
      if (!event.data.includes('"cursor"')) event.stopImmediatePropagation();
    });
  }
};"""
# Every pause is half of what it may be, and those of who waits to join are over at once.
HURRY = """const later = window.setTimeout;
window.waits = [];
Math.random = () => 0.5;
window.setTimeout = (action, wait_ms) => {
  window.waits.push(wait_ms);
  return later(action, [3000, 4000, 6000].includes(wait_ms) ? 0 : wait_ms);
};"""
HASTE = """const { timeout } = AbortSignal;
AbortSignal.timeout = (wait_ms) => timeout.call(AbortSignal, wait_ms / 10);"""

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


@pytest_asyncio.fixture(loop_scope="session")
async def client(demo: Demo) -> AsyncIterator[ClientSession]:
    async with ClientSession(demo.url) as client:
        yield client


async def set_class(client: ClientSession, **changes: object) -> None:
    async with client.post("/class/settings", json=changes, headers=TEACHER) as response:
        assert response.status == 200


async def publish(client: ClientSession, text: str, sender: str = "ada") -> None:
    async with client.post("/messages", json={"sender": sender, "text": text}) as response:
        assert response.status == 201


async def reader_of(page: Page) -> str:
    return str(
        await page.evaluate(
            "JSON.parse(sessionStorage.getItem('polling-vs-websocket reader')).reader"
        )
    )


async def shown_of(page: Page) -> list[int]:
    counts = [page.locator(f"#{name}") for name in ("requests", "empty", "messages")]
    return [int(await count.inner_text()) for count in counts]


def _known(figures: dict[str, float | None]) -> bool:
    return figures["latency_p50_ms"] is not None and bool(figures["messages_per_s"])


@pytest.mark.parametrize("mode", MODES)
async def test_a_phone_reads_in_the_mode_of_its_address(
    browser: Browser, demo: Demo, client: ClientSession, mode: str
) -> None:
    async with phone(browser, demo, mode) as page:
        await publish(client, "for everybody")
        await expect(page.get_by_role("listitem")).to_contain_text(["for everybody"])
        await expect(page.get_by_role("button", name=MODES[mode])).to_have_attribute(
            "aria-pressed", "true"
        )


async def test_phones_without_a_mode_are_spread_over_all_three(
    browser: Browser, demo: Demo
) -> None:
    async with (
        phone(browser, demo) as one,
        phone(browser, demo) as two,
        phone(browser, demo) as three,
    ):
        given = {(await page.locator("#mode").inner_text()).strip() for page in (one, two, three)}
    assert given == set(MODES.values())


async def test_two_phones_hear_each_other_in_different_modes(browser: Browser, demo: Demo) -> None:
    async with phone(browser, demo, "short") as one, phone(browser, demo, "ws") as two:
        await say(one, "from short polling")
        await say(two, "from WebSocket", name="eve")
        for page in (one, two):
            items = page.get_by_role("listitem")
            await expect(items.filter(has_text="from short polling")).to_have_count(1)
            await expect(items.filter(has_text="from WebSocket")).to_have_count(1)


async def test_markup_that_a_student_types_is_shown_as_text(browser: Browser, demo: Demo) -> None:
    async with phone(browser, demo, "long") as one, phone(browser, demo, "ws") as two:
        await say(one, MARKUP, name="<i>eve</i>")
        for page in (one, two):
            item = page.get_by_role("listitem")
            await expect(item).to_contain_text(MARKUP)
            await expect(item).to_contain_text("<i>eve</i>")
            assert await item.locator("img, i").count() == 0
            assert await page.title() != "broken into"


async def test_a_change_of_mode_loses_no_message_and_stays_after_a_reload(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with phone(browser, demo, "short") as page:
        for number, mode in enumerate(["ws", "long", "short"]):
            await publish(client, f"text {number}")
            await page.get_by_role("button", name=MODES[mode]).click()
            await expect(page.locator("#mode")).to_have_text(MODES[mode])
        await publish(client, "text 3")
        await expect(page.get_by_role("listitem")).to_have_text(
            [re.compile(f"text {number}") for number in range(4)]
        )
        async with page.expect_request("**/long-poll?*") as asking:
            await page.get_by_role("button", name=MODES["long"]).click()
        assert "epoch=" in (await asking.value).url  # or the end of that history would go unseen
        await page.reload()
        await expect(page.locator("#mode")).to_have_text(MODES["long"])


async def test_what_was_not_reported_before_a_change_of_mode_is_reported_after_it(
    browser: Browser,
) -> None:
    async with modules(browser) as page:
        reported = await page.evaluate(
            """async () => {
              const { makeReporter } = await import("/page/class/reporter.js");
              const [ticks, reported] = [[], []];
              window.setTimeout = (action) => { ticks.push(action); };
              const room = {
                clock_error_ms: () => 1, server_ns: (ms) => ms, adopt() {}, lose() {},
                async report({ mode, number, deliveries }) {
                  reported.push([mode, number, ...deliveries.map(([id]) => id)]);
                  if (reported.length === 1) throw new Error("away");
                },
              };
              const reporter = makeReporter({ room, reader: "r", mode: "short", after: 2e9 });
              const hear = (id) => reporter.hear({ kind: "delivered", at_ms: 1, message: { id } });
              hear(7);
              reporter.use("ws");
              hear(8);
              await ticks.shift()();
              await ticks.shift()();
              return reported;
            }"""
        )
    first, second = ["short", 2_000_000_001, 7], ["ws", 2_000_000_002, 8]
    assert reported == [first, first, second]


async def test_a_modes_bytes_are_those_since_it_was_chosen(browser: Browser) -> None:
    async with modules(browser) as page:
        shown = await page.evaluate(
            """async () => {
              const { makeOwnCounters } = await import("/page/class/own-counters.js");
              const names = ["requests", "empty", "messages", "bytes", "latency"];
              const places = Object.fromEntries(names.map((name) => [name, {}]));
              const counters = makeOwnCounters(places, { clock_error_ms: () => null });
              const shown = [];
              const tell = (short, ws) => {
                const tallies = Object.entries({ short, ws }).filter(([, bytes_in]) => bytes_in);
                counters.server(Object.fromEntries(
                  tallies.map(([mode, bytes_in]) => [mode, { bytes_in, bytes_out: 0 }])));
                counters.draw();
                shown.push(places.bytes.textContent);
              };
              counters.clear("short");
              tell(100);
              counters.clear("ws");
              tell(120);
              tell(120, 30);
              counters.clear("short");
              tell(170, 30);
              return shown;
            }"""
        )
    assert shown == ["100 B", "\u2013", "30 B", "50 B"]


async def test_a_phone_without_a_cursor_is_told_how_much_has_passed_it_by(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await set_class(client, cursor=False)
    async with phone(browser, demo, "ws") as page:
        reader = await reader_of(page)
        await ask_until(client, f"/class/tallies?readers={reader}", bool)
        path, body = f"/class/readers/{reader}/line", {"cut_s": 1}
        async with client.post(path, json=body, headers=TEACHER) as response:
            assert response.status == 200
        await publish(client, "one")
        await publish(client, "two")
        await expect(page.get_by_role("listitem")).to_have_text(
            ["2 messages passed by unread."], timeout=SOON_MS
        )


async def test_a_phone_says_that_the_server_is_gone_and_comes_back(
    browser: Browser, demo: Demo, start_demo: StartDemo
) -> None:
    async with phone(browser, demo, "ws") as page:
        demo.stop()
        await expect(page.locator("#doing")).to_contain_text("The server is gone")
        await say(page, "too soon")
        await expect(page.get_by_role("alert")).to_contain_text("Not sent")
        await expect(page.get_by_label("Message", exact=True)).to_have_value("too soon")
        again = start_demo("--token", TOKEN, port=demo.port)
        await expect(page.locator("#doing")).to_contain_text("open", timeout=30_000)
        async with ClientSession(again.url) as client:
            await publish(client, "after the restart")
        await expect(page.get_by_role("listitem").last).to_contain_text("after the restart")


async def test_a_socket_is_opened_anew_when_the_server_answers_nothing_else(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, PHONE) as page:
        await page.add_init_script(HASTE)
        await join(page, demo, "ws")
        await page.route("**/class/*", swallow)
        await expect(page.locator("#requests")).to_have_text(re.compile("[2-9]"), timeout=SOON_MS)


async def test_a_socket_that_has_died_unnoticed_is_opened_anew_when_the_feed_moves_on(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    doubt = (PAGE / "lanes" / "doubt.js").read_text().replace("= PATIENCE_MS", "= 0")
    async with opened(browser, PHONE) as page, opened(browser, LAPTOP) as projector:
        for each in (page, projector):
            await each.add_init_script(DEAF)
            await each.route(
                "**/lanes/doubt.js",
                lambda route: route.fulfill(body=doubt, content_type="text/javascript"),
            )
        await projector.goto(f"http://localhost:{demo.port}/")
        await join(page, demo, "ws")
        lane = projector.locator(".lane[data-mode=ws]")
        await expect(page.locator("#doing")).to_contain_text("the socket is open")
        await expect(lane.locator(".doing")).to_contain_text("socket open")
        await publish(client, "unheard")
        await expect(page.get_by_role("listitem")).to_have_text([re.compile("unheard")])
        await expect(lane.locator("li:not(.note)")).to_have_text([re.compile("unheard")])


async def test_a_phone_whose_class_was_quiet_is_told_that_its_history_has_ended(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await publish(client, "before")
    async with phone(browser, demo, "short") as page:
        await page.goto("about:blank")
        async with client.post("/class/restart", json={}, headers=TEACHER) as response:
            assert response.status == 200
        await publish(client, "one")
        await publish(client, "two")
        await join(page, demo, "short")
        await expect(page.get_by_role("listitem")).to_contain_text(
            ["Some messages are gone", "one", "two"]
        )


async def test_a_phone_joins_a_server_that_is_busy_no_sooner_than_that_asks(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, PHONE) as page:
        await page.add_init_script(HURRY)
        refused: list[Route] = []

        async def refuse(route: Route) -> None:
            refused.append(route)
            if len(refused) > 3:
                await route.continue_()
            else:
                await route.fulfill(status=503, headers={"Retry-After": "2"}, body="{}")

        await page.route("**/class", refuse)
        await join(page, demo, "ws")
        waits = await page.evaluate("window.waits")
    asked = [wait for wait in waits if wait in (3000, 4000, 4500)]
    assert asked[:3] == [3000, 4000, 4500]


async def swallow(_route: Route) -> None:
    """Leave a request without an answer."""


@pytest.mark.parametrize("mode", MODES)
async def test_what_a_phone_sees_reaches_the_class(
    browser: Browser, demo: Demo, client: ClientSession, mode: str
) -> None:
    async with phone(browser, demo, mode):
        await set_class(client, chatter="lively")
        told = (await ask_until(client, "/class", lambda room: _known(room["modes"][mode])))[
            "modes"
        ][mode]
    assert told["readers"] == 1
    assert told["clock_error_ms"] > 0
    assert -told["clock_error_ms"] <= told["latency_p50_ms"] < 2000


@pytest.mark.parametrize("mode", ["short", "long"])
async def test_a_phones_counters_are_the_servers(
    browser: Browser, demo: Demo, client: ClientSession, mode: str
) -> None:
    async with phone(browser, demo, mode) as page:
        for number in range(3):
            await publish(client, f"text {number}")
        await expect(page.locator("#messages")).to_have_text("3")
        # Asked again, until both are read between two requests of the phone.
        path = f"/class/tallies?readers={await reader_of(page)}"
        for _ in range(20):
            (tally,) = (await ask_until(client, path, bool)).values()
            counts = [tally[name] for name in ("requests", "empty", "deliveries")]
            if (shown := await shown_of(page)) == counts:
                break
        assert shown == counts


@pytest.mark.parametrize("mode", MODES)
async def test_a_phone_that_is_loaded_anew_is_the_reader_it_was_and_counts_on(
    browser: Browser, demo: Demo, client: ClientSession, mode: str
) -> None:
    async with phone(browser, demo, mode) as page:
        reader = await reader_of(page)
        await publish(client, "before")
        await expect(page.locator("#messages")).to_have_text("1")
        await page.goto("about:blank")
        await publish(client, "meanwhile")
        await join(page, demo, mode)
        assert await reader_of(page) == reader
        await expect(page.locator("#messages")).to_have_text("2")
        await expect(page.get_by_role("listitem")).to_contain_text(["meanwhile"])
        path = f"/class/tallies?readers={reader}"
        (tally,) = (await ask_until(client, path, bool)).values()
        assert 0 <= tally["requests"] - (await shown_of(page))[0] <= 1  # one may be asked meanwhile
        told = await ask_until(client, "/class", lambda room: room["modes"][mode]["readers"])
    assert [told["modes"][each]["readers"] for each in MODES] == [each == mode for each in MODES]


async def test_a_phone_that_refuses_to_store_anything_is_the_reader_it_was_after_a_reload(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with opened(browser, PHONE) as page:
        await page.add_init_script(REFUSE_STORAGE)
        await join(page, demo, "ws")
        name = await page.get_by_label("Name").input_value()
        await publish(client, "before")
        await expect(page.locator("#messages")).to_have_text("1")
        await page.reload()
        await expect(page.locator("#mode")).to_have_text(MODES["ws"])
        await publish(client, "after")
        await expect(page.locator("#messages")).to_have_text("2")
        assert await page.get_by_label("Name").input_value() == name
        told = await ask_until(client, "/class", lambda room: room["modes"]["ws"]["readers"])
    assert told["modes"]["ws"]["readers"] == 1


async def test_what_a_phone_has_not_reported_yet_it_reports_in_leaving(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with phone(browser, demo, "ws") as page:
        await publish(client, "heard")
        await expect(page.locator("#messages")).to_have_text("1")
        await page.goto("about:blank")
        await ask_until(
            client, "/class", lambda room: room["modes"]["ws"]["latency_p50_ms"] is not None
        )


async def test_a_hidden_phones_strip_keeps_no_more_than_it_can_show(browser: Browser) -> None:
    async with modules(browser) as page:
        kept = await page.evaluate(
            """async () => {
              const { makeStrip } = await import("/page/class/strip.js");
              let draw;
              window.requestAnimationFrame = (action) => { draw = action; };
              const canvas = document.body.appendChild(document.createElement("canvas"));
              const strip = makeStrip(canvas);
              const looked_at = new Set();
              for (let at_ms = 0; at_ms < 3_600_000; at_ms += 500) {
                const exchange = { get ended_ms() { looked_at.add(at_ms); return at_ms; } };
                strip.hear({ kind: "asked", at_ms, exchange });
              }
              await new Promise((done) => { new ResizeObserver(done).observe(canvas); });
              looked_at.clear();
              draw(3_600_000);
              return looked_at.size;
            }"""
        )
    assert 0 < kept <= 2000


async def test_a_clock_that_stood_still_is_asked_for_anew(browser: Browser, demo: Demo) -> None:
    async with opened(browser, PHONE) as page:
        await page.goto(f"{demo.url}/stats")
        told = await page.evaluate(
            """async () => {
              const { makeClock } = await import("/page/class/clock.js");
              let [page_ms, slept_ms] = [1000, 0];
              const read = (took_ms) => {
                clock.sample(page_ms, page_ms + took_ms, (page_ms + slept_ms + took_ms / 2) * 1e6);
                page_ms += took_ms;
              };
              const clock = makeClock(() => page_ms, () => page_ms + slept_ms);
              const blind = makeClock(() => page_ms, () => page_ms);  // no wall clock helps it
              read(10);
              blind.sample(0, 10, 5e6);
              slept_ms = 60_000;
              const asleep = [clock.known(), clock.now(), clock.error_ns()];
              page_ms += 100;
              read(400);  // a worse sample than the one from before
              blind.sample(page_ms, page_ms + 400, (page_ms + slept_ms + 200) * 1e6);
              return {
                asleep, now_ms: [clock, blind].map((each) => each.now() / 1e6 - page_ms),
                before: [clock.server_ns(900), blind.server_ns(900)],
                error_ms: clock.error_ns() / 1e6,
              };
            }"""
        )
    assert told["asleep"] == [False, None, None]
    assert told["now_ms"] == [60_000, 60_000]
    assert told["before"] == [None, None]
    assert 200 <= told["error_ms"] < 201


async def test_a_clock_keeps_its_best_sample_as_long_as_the_others_agree(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, PHONE) as page:
        await page.goto(f"{demo.url}/stats")
        error_ms = await page.evaluate(
            """async () => {
              const { makeClock } = await import("/page/class/clock.js");
              const clock = makeClock(() => 3000, () => 3000);
              clock.sample(1000, 1010, 1_004e6);
              clock.sample(2000, 2800, 2_790e6);
              return clock.error_ns() / 1e6;
            }"""
        )
    assert 5 <= error_ms < 6


async def test_a_setting_reaches_a_phone_in_the_middle_of_a_pause(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await set_class(client, interval_s=60)
    async with phone(browser, demo, "short") as page:
        await expect(page.locator("#doing")).to_contain_text("asks again in 5")
        await set_class(client, interval_s=0.5)
        await publish(client, "no minute late")
        await expect(page.get_by_role("listitem")).to_contain_text(
            ["no minute late"], timeout=SOON_MS
        )


async def test_a_student_cannot_use_the_teachers_controls(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with phone(browser, demo, "ws") as page:
        statuses = await page.evaluate(
            """async (reader) => Promise.all([
              ["settings", { stage: "run" }], ["restart", {}], ["run", { seconds: 5 }],
              [`readers/${reader}/line`, { cut_s: 9 }],
            ].map(async ([path, body]) => (await fetch(`/class/${path}`, {
              method: "POST", body: JSON.stringify(body),
              headers: { Authorization: "Bearer guessed" },
            })).status).concat(fetch("/class/log.zip").then((response) => response.status)))""",
            await reader_of(page),
        )
    assert statuses == [403] * 5
    async with client.get("/class") as response:
        assert (await response.json())["settings"]["stage"] == "chat"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_a_phone_of_360_pixels_shows_all_and_asks_nobody_else(
    browser: Browser, demo: Demo, client: ClientSession, mode: str, dark: bool, tmp_path: Path
) -> None:
    async with opened(browser, PHONE, dark=dark) as page:
        watch = Watch(page)
        await join(page, demo, mode)
        for text in ("Good morning!", "x" * 300, "What does your phone do just now?"):
            await publish(client, text)
        await expect(page.locator("#messages")).to_have_text("3")
        await shoot(page, f"phone-{mode}-{'dark' if dark else 'light'}", tmp_path)
        assert watch.complaints == []
        assert watch.hosts == {"localhost"}
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        assert await page.evaluate("document.documentElement.scrollHeight") <= PHONE[1]
        for name in ("Send", *MODES.values()):
            await expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()


async def test_all_of_a_phone_can_be_reached_by_keyboard(browser: Browser, demo: Demo) -> None:
    async with phone(browser, demo, "short") as page:
        reached = []
        for _ in range(7):
            await page.keyboard.press("Tab")
            reached.append(
                await page.evaluate(
                    "document.activeElement.closest('ol, label, button').textContent.trim()"
                )
            )
    assert reached[1:] == ["Name", "Message", "Send", *MODES.values()]
