"""The page's own time: pause, step, scrub, and what was so then."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect

from tests.classroom_pages import MODES, SOON_MS, TOKEN, teacher
from tests.conftest import Demo, StartDemo
from tests.test_classroom_page_lanes import figures, messages, publish, show_all

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DRAWN = """async () => {
  for (let frame = 0; frame < 4; frame += 1) await new Promise(requestAnimationFrame);
}"""


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


@pytest_asyncio.fixture(loop_scope="session")
async def client(demo: Demo) -> AsyncIterator[ClientSession]:
    async with ClientSession(demo.url) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, demo: Demo) -> AsyncIterator[Page]:
    async with teacher(browser, demo, "?interval_s=0.2") as page:
        yield page


async def test_a_paused_page_shows_what_came_meanwhile_when_it_is_live_again(
    page: Page, client: ClientSession
) -> None:
    await publish(client, "before")
    await show_all(page, "before")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    await publish(client, "meanwhile")
    await page.get_by_text("s ago").wait_for()
    await show_all(page, "before")
    await page.keyboard.press("End")
    await show_all(page, "before", "meanwhile")


async def test_scrubbing_back_shows_the_lanes_and_counters_of_then(
    page: Page, client: ClientSession
) -> None:
    await publish(client, "one", "two")
    await show_all(page, "one", "two")
    await page.get_by_label("Moment shown").fill("-300")
    for mode in MODES:
        await expect(messages(page, mode)).to_have_count(0)
        assert (await figures(page, mode))["messages"] == "0"
    await page.get_by_role("button", name="Live").click()
    await show_all(page, "one", "two")


async def test_stepping_back_takes_messages_away_one_by_one_and_forward_brings_them_back(
    page: Page, client: ClientSession
) -> None:
    await publish(client, "one", "two")
    await show_all(page, "one", "two")
    socket = messages(page, "ws")
    for left in (1, 0):
        await press_until(page, "ArrowLeft", left)
        await expect(socket).to_have_count(left)
        assert (await figures(page, "ws"))["messages"] == str(left)
    await press_until(page, "ArrowRight", 2)
    await expect(socket).to_contain_text(["one", "two"])


async def test_a_key_moves_the_lanes_and_no_control_that_has_the_focus(page: Page) -> None:
    pause = page.get_by_role("button", name="Pause")
    controls = [
        page.get_by_label("Interval"),
        page.get_by_label("Speed"),
        page.get_by_role("switch", name="Hold"),
        page.get_by_role("button", name="Light or dark"),
        page.get_by_role("button", name="Live"),
        page.get_by_label("A message to all three"),
    ]
    for control in controls:
        await control.focus()
        await page.keyboard.press("ArrowLeft")
        await page.evaluate(DRAWN)
        await expect(pause).to_be_visible()  # to step is to pause
    await page.locator(".lane canvas").first.click()
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    await page.keyboard.press("End")
    await page.get_by_label("WebSocket: messages").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


async def test_further_down_the_page_keys_scroll_it_and_leave_the_lanes_alone(page: Page) -> None:
    await page.locator("#keep h2").scroll_into_view_if_needed()
    await page.locator("#keep h2").click()
    for key in ("ArrowLeft", "Space"):
        await page.keyboard.press(key)
        await page.evaluate(DRAWN)
        await expect(page.get_by_role("button", name="Pause")).to_be_visible()


async def press_until(page: Page, key: str, count: int) -> None:
    """Step until the WebSocket's lane shows as many messages."""
    for _ in range(1000):
        await page.keyboard.press(key)
        await page.evaluate(DRAWN)
        if await messages(page, "ws").count() == count:
            return


async def test_played_slowly_the_past_comes_back(page: Page, client: ClientSession) -> None:
    await publish(client, "again")
    await show_all(page, "again")
    await page.get_by_label("Moment shown").fill("-300")
    await expect(messages(page, "ws")).to_have_count(0)
    await page.get_by_label("Speed").select_option("0.5")
    await page.get_by_role("button", name="Play", exact=True).click()
    await expect(messages(page, "ws")).to_contain_text(["again"], timeout=2 * SOON_MS)
    await expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")


async def test_the_last_five_minutes_are_kept_and_no_more(page: Page) -> None:
    kept = await page.evaluate(
        """async () => {
          const { makeStore, KEPT_MS } = await import("/page/store.js");
          const store = makeStore(["ws"], (published_ns) => published_ns / 1e6);
          const exchange = { asked_ms: 0, cursor: 0, messages: 0 };
          store.hear("ws", { kind: "asked", at_ms: 0, exchange });
          const last = 2 * KEPT_MS / 20;
          for (let id = 1; id <= last; id += 1) {
            const message = { id, sender: "ada", text: "text", published_ns: id * 20e6 };
            store.hear("ws", { kind: "delivered", at_ms: id * 20, exchange, message, rtt_ms: 0 });
          }
          const { exchanges, deliveries, lines } = store.lane("ws");
          return {
            kept_ms: last * 20 - deliveries.slice(0, 1)[0].at_ms, count: deliveries.length,
            lines: lines.length, open: exchanges.length, last,
            then: store.counters("ws", 1.5 * KEPT_MS).messages,
          };
        }"""
    )
    assert 300_000 <= kept["kept_ms"] <= 300_000 + 256 * 20
    assert kept["count"] == kept["lines"] == kept["kept_ms"] / 20 + 1
    assert kept["open"] == 1  # a socket that is open for longer is still drawn
    assert kept["then"] == 0.75 * kept["last"]
