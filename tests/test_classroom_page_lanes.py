"""The three lanes on the projector's page: one feed, the same messages, the server's own counts."""

import re
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.classroom_pages import (
    LAPTOP,
    MARKUP,
    MODES,
    PHONE,
    PROJECTOR,
    SOON_MS,
    TEACHER,
    TOKEN,
    Watch,
    ask_until,
    modules,
    opened,
    phone,
    say,
    shoot,
    teacher,
)
from tests.conftest import Demo, StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SNIPPET = """
const socket = new WebSocket('ws://localhost:PORT')
socket.onmessage = event => console.log(event.data)
socket.onopen = () => socket.send('A new user has joined the chat!')
"""


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


@pytest_asyncio.fixture(loop_scope="session")
async def client(demo: Demo) -> AsyncIterator[ClientSession]:
    async with ClientSession(demo.url) as client:
        yield client


async def publish(client: ClientSession, *texts: str, sender: str = "ada") -> None:
    for text in texts:
        async with client.post("/messages", json={"sender": sender, "text": text}) as response:
            assert response.status == 201


def lane(page: Page, mode: str) -> Locator:
    return page.locator(f".lane[data-mode={mode}]")


def messages(page: Page, mode: str) -> Locator:
    return lane(page, mode).locator("li:not(.note)")


async def figures(page: Page, mode: str) -> dict[str, str]:
    """Return what a lane's counters say, by their names."""
    pairs = await lane(page, mode).locator(".counters div").all_inner_texts()
    return {name: value for value, name in (reversed(pair.split("\n")) for pair in pairs)}


async def show_all(page: Page, *texts: str) -> None:
    """Wait until each lane shows these texts, and nothing else, in this order."""
    for mode in MODES:
        await expect(messages(page, mode)).to_contain_text(list(texts), timeout=SOON_MS)


async def test_the_lanes_show_the_same_messages_in_the_same_order(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with teacher(browser, demo, "?interval_s=0.2") as page:
        texts = [f"text {number}" for number in range(12)]
        await publish(client, *texts)
        await show_all(page, *texts)


async def test_only_the_newest_page_of_a_browser_reads_and_an_older_one_says_so(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with opened(browser, LAPTOP) as old, await old.context.new_page() as new:
        for page in (old, new):
            await page.goto(f"http://localhost:{demo.port}/")
            await expect(page.locator(".lane")).to_have_count(3)
        await expect(old.locator("#lanes")).to_contain_text("a newer tab shows them")
        await ask_until(client, "/stats", lambda stats: stats["modes"]["ws"]["connections"] == 1)
        await old.get_by_role("button", name="Go on here").click()
        await expect(new.locator("#lanes")).to_contain_text("a newer tab shows them")
        await expect(old.locator(".lane")).to_have_count(3)


async def test_what_was_said_before_is_shown_too(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await publish(client, "earlier")
    async with teacher(browser, demo) as page:
        await show_all(page, "earlier")


async def test_the_counters_are_the_servers(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with teacher(browser, demo, "?interval_s=0.2") as page:
        await publish(client, "one", "two", "three")
        await show_all(page, "one", "two", "three")
        names = await readers(page)
        await page.get_by_label("Interval").select_option("10 s")  # so that a count can stand
        for mode in MODES:
            await agree(page, client, names, mode)
        size = lane(page, "short").locator(".counters div").filter(has_text="bytes up")
        await expect(size).to_contain_text(re.compile(r"[\d.]+ k?B"), timeout=SOON_MS)
        short, socket = await figures(page, "short"), await figures(page, "ws")
        assert int(short["requests"]) > int(socket["requests"]) == 1


async def readers(page: Page) -> dict[str, str]:
    """Return the names under which the page's lanes read, once it polls again."""
    async with page.expect_request(re.compile("/short-poll"), timeout=SOON_MS) as asked:
        request = await asked.value
    (short,) = parse_qs(urlsplit(request.url).query)["reader"]
    return {mode: short.replace("short", mode) for mode in MODES}


async def agree(page: Page, client: ClientSession, names: dict[str, str], mode: str) -> None:
    """Wait until a lane's counters are what the server counted for its reader."""
    give_up = time.monotonic() + SOON_MS / 1000
    while True:
        async with client.get("/class/tallies", params={"readers": names[mode]}) as response:
            counted = (await response.json())[names[mode]]
        seen = await figures(page, mode)
        if [int(seen[name]) for name in ("requests", "empty", "messages")] == [
            counted[name] for name in ("requests", "empty", "deliveries")
        ]:
            return
        assert time.monotonic() < give_up, (seen, counted)


async def test_the_servers_count_is_not_asked_for_again_before_it_is_told(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, LAPTOP, once=True) as page:
        asked = []

        async def keep(route: Route) -> None:
            asked.append(route)

        await page.route("**/class/tallies?*", keep)
        await page.clock.install()
        await page.goto(f"http://localhost:{demo.port}/")
        await expect(page.locator("#state")).to_have_text("connected")
        await page.clock.run_for(5000)
        assert len(asked) == 1


async def test_a_race_draws_three_arrivals(browser: Browser, demo: Demo) -> None:
    async with teacher(browser, demo) as page:
        times = page.locator("#race text.time")
        await page.get_by_label("A message to all three").fill("who is first?")
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(times).to_have_count(3)
        for mode, name in MODES.items():
            label = page.locator(f"#race text.time[data-mode={mode}]")
            await expect(label).to_have_text(re.compile(rf"^{name} [\d.]+ m?s$"))
        await show_all(page, "who is first?")


async def test_a_refused_message_is_said_and_runs_no_race(browser: Browser, demo: Demo) -> None:
    async with teacher(browser, demo) as page:
        text = page.get_by_label("A message to all three")
        await text.evaluate("field => field.maxLength = 9999")
        await text.fill("x" * 4097)
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.get_by_role("alert")).to_contain_text("the limit is 4096")
        await expect(page.get_by_role("img", name="No race yet")).to_be_visible()


async def test_markup_from_a_phone_is_shown_as_text(browser: Browser, demo: Demo) -> None:
    async with (
        teacher(browser, demo, "?interval_s=0.2") as page,
        phone(browser, demo, "long") as student,
    ):
        await say(student, MARKUP, name="<i>eve</i>")
        await show_all(page, MARKUP)
        await show_all(page, "<i>eve</i>")
        assert await page.locator(".transcript :is(img, i)").count() == 0
        assert await page.title() != "broken into"


async def test_the_articles_snippet_works_in_the_pages_console(
    browser: Browser, demo: Demo
) -> None:
    async with teacher(browser, demo, "?interval_s=0.2") as page:
        async with page.expect_console_message(lambda line: "joined" in line.text):
            await page.evaluate(f"() => {{ {SNIPPET.replace('PORT', str(demo.port))} }}")
        await show_all(page, "A new user has joined the chat!")


IS_WHOLE = """(line) => {
  line.textContent = "connection lost, tries again in 12.3 s";
  line.classList.add("lost");
  return line.scrollWidth <= line.clientWidth;
}"""


@pytest.mark.parametrize(
    ("name", "size"), [("projector", PROJECTOR), ("laptop", LAPTOP), ("phone", PHONE)]
)
async def test_nothing_is_complained_of_or_asked_elsewhere_and_all_fits(
    browser: Browser,
    demo: Demo,
    client: ClientSession,
    tmp_path: Path,
    name: str,
    size: tuple[int, int],
) -> None:
    width, height = size
    async with teacher(browser, demo, "?interval_s=0.2", size=size) as page:
        watch = Watch(page)
        await page.reload()
        await publish(client, "x" * 500)
        await show_all(page, "x" * 500)
        assert watch.complaints == []
        assert watch.hosts == {"localhost"}
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await lane(page, "ws").locator(".doing").evaluate(IS_WHOLE)
        if size != PHONE:
            assert await page.evaluate("document.getElementById('stage').scrollHeight") <= height
            await expect(page.get_by_role("button", name="New feed")).to_be_in_viewport(ratio=1)
        await page.get_by_role("button", name="Send", exact=True).click()
        await expect(page.locator("#race text.time")).to_have_count(3)
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await shoot(page, f"lanes-{name}-{scheme}", tmp_path)


async def test_the_words_of_a_race_are_not_cut_off_on_a_phone(browser: Browser) -> None:
    async with modules(browser) as page:
        cut_off = await page.evaluate(
            """async () => {
              const { makeRaceLine } = await import("/page/draw/race.js");
              const { MODES } = await import("/page/lanes/modes.js");
              const style = "width: 336px; height: 100px; font: 650 16px sans-serif";
              document.body.innerHTML = `<svg style="${style}"></svg>`;
              const picture = document.body.firstChild;
              const line = makeRaceLine(picture, MODES);
              await new Promise(requestAnimationFrame);
              await new Promise(requestAnimationFrame);
              const cut_off = [];
              for (let ms = 0; ms <= 1000; ms += 50) {
                const race = { sent_ms: 0, arrivals: { short: ms, long: ms, ws: ms } };
                line.draw({ at: () => race, until: () => [race] }, ms, 1000);
                for (const label of picture.querySelectorAll(".time")) {
                  const { x, width } = label.getBBox();
                  if (x < 0 || x + width > 336) cut_off.push(label.textContent);
                }
              }
              return cut_off;
            }"""
        )
    assert cut_off == []


async def test_the_newest_message_is_in_view_unless_one_reads_further_up(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with teacher(browser, demo) as page:
        items = messages(page, "ws")
        await publish(client, *(f"text {number}" for number in range(30)))
        await expect(items).to_have_count(30)
        await expect(items.last).to_be_in_viewport()
        await items.first.scroll_into_view_if_needed()
        await publish(client, "not yet read")
        await expect(items).to_have_count(31)
        await expect(items.first).to_be_in_viewport()
        await expect(items.last).not_to_be_in_viewport()


@pytest.mark.parametrize("fault", ['throw new TypeError("down")', "return broken()"])
@pytest.mark.parametrize("mode", MODES)
async def test_a_server_that_is_down_or_broken_is_not_stormed(
    browser: Browser, demo: Demo, mode: str, fault: str
) -> None:
    async with await browser.new_page() as page:
        await page.goto(f"{demo.url}/stats")
        assert await pauses(page, mode, fault) == [500, 1000, 2000, 4000, 8000, 15000, 15000]


async def pauses(page: Page, mode: str, fault: str) -> Any:
    """Return the first pauses of a lane whose every request fails, with the longest jitter."""
    return await page.evaluate(
        """async (mode) => {
          const { openLane } = await import("/page/lanes/lane.js");
          Math.random = () => 1;
          const broken = () => new Response("Internal Server Error", { status: 500 });
          window.fetch = async () => { FAULT; };
          window.WebSocket = class {
            constructor() { queueMicrotask(() => this.onclose({ code: 1006 })); }
            close() {}
          };
          window.setTimeout = (action) => { queueMicrotask(action); };
          const pauses_ms = [];
          await new Promise((done) => {
            const on = ({ kind, until_ms }) => {
              if (kind !== "waiting" || pauses_ms.push(until_ms) < 7) return;
              lane.stop();
              done();
            };
            const settings = () => ({});
            const lane = openLane({ mode, reader: "r", settings, now: () => 0, on });
          });
          return pauses_ms;
        }""".replace("FAULT", fault),
        mode,
    )


async def test_a_lane_that_opens_its_socket_again_and_again_keeps_no_trace_of_the_old_ones(
    browser: Browser, demo: Demo
) -> None:
    async with await browser.new_page() as page:
        await page.goto(f"{demo.url}/stats")
        kept = await page.evaluate(
            """async () => {
              const { openLane } = await import("/page/lanes/lane.js");
              let kept = 0;
              const { addEventListener, removeEventListener } = AbortSignal.prototype;
              AbortSignal.prototype.addEventListener = function (...given) {
                kept += 1;
                addEventListener.apply(this, given);
              };
              AbortSignal.prototype.removeEventListener = function (...given) {
                kept -= 1;
                removeEventListener.apply(this, given);
              };
              window.WebSocket = class {
                constructor() { queueMicrotask(() => this.onclose({ code: 1006 })); }
                close() {}
              };
              window.setTimeout = (action) => { queueMicrotask(action); };
              await new Promise((done) => {
                let failures = 0;
                const on = ({ kind }) => {
                  if (kind !== "failed" || (failures += 1) < 20) return;
                  lane.stop();
                  done();
                };
                const lane = openLane({ mode: "ws", reader: "r", settings: () => ({}), on });
              });
              return kept;
            }"""
        )
    assert kept == 0


async def test_a_visitor_cannot_use_the_controls(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with await browser.new_page() as page:
        await page.goto(f"http://localhost:{demo.port}/?chatter=storm")
        await publish(client, "for all")
        await show_all(page, "for all")
        fields = page.locator("#controls :is(select, input, button), .break button")
        await expect(fields).to_have_count(15)
        for field in await fields.all():
            await expect(field).to_be_disabled()
        await expect(page.get_by_text("These are the teacher's")).to_be_visible()
        status = await page.evaluate(
            """async () => (await fetch("/class/settings", {
              method: "POST", body: '{"chatter": "storm"}',
            })).status"""
        )
        assert status == 403
        async with client.get("/class") as response:
            assert (await response.json())["settings"]["chatter"] == "off"


async def test_the_address_restores_the_settings(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    async with teacher(browser, demo, "?interval_s=2&cursor=off") as page:
        await expect(page.get_by_label("Interval")).to_have_value("2")
        await expect(page.get_by_role("switch", name="Cursor")).not_to_be_checked()
        await page.get_by_label("Interval").select_option("5 s")
        await page.get_by_role("switch", name="Keep-alive").click()
        await page.wait_for_url(re.compile(r"keepalive=off"))
        assert set(urlsplit(page.url).query.split("&")) == {
            "interval_s=5",
            "cursor=off",
            "keepalive=off",
        }
        assert "token" not in page.url
        before = {"interval_s": 1, "cursor": True, "keepalive": True}
        async with client.post("/class/settings", json=before, headers=TEACHER) as response:
            assert response.status == 200
        await expect(page.get_by_label("Interval")).to_have_value("1")
        await page.goto(f"http://localhost:{demo.port}/?interval_s=5&cursor=off&keepalive=off")
        await expect(page.get_by_label("Interval")).to_have_value("5")
        async with client.get("/class") as response:
            settings = (await response.json())["settings"]
        assert settings["interval_s"] == 5
        assert (settings["cursor"], settings["keepalive"]) == (False, False)


async def test_an_address_that_says_what_holds_sets_nothing_and_one_that_is_refused_says_so(
    browser: Browser, demo: Demo
) -> None:
    async with teacher(browser, demo, "?chatter=quiet") as page:
        methods: list[str] = []
        page.on("request", lambda request: methods.append(request.method))
        await page.reload()
        await expect(page.get_by_label("Chatter").first).to_have_value("quiet")
        assert "GET" in methods
        assert "POST" not in methods
        await page.goto(f"http://localhost:{demo.port}/?interval_s=1000")
        await expect(page.locator("#controls .why")).to_contain_text("interval_s")
