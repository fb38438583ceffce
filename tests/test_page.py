"""The classroom page in a real browser."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Page, expect

from tests.conftest import Demo, StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

SIZES = [(1280, 720), (360, 740)]
MARKUP = "<img src=x onerror=\"document.title='broken into'\"><b>bold</b>"


class Watch:
    """What a page complained of, and where it asked."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        self.hosts: set[str | None] = set()
        page.on("console", lambda line: self._hear(line.type, line.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self._asked(request.url))
        page.on("websocket", lambda socket: self._asked(socket.url))

    def _hear(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _asked(self, url: str) -> None:
        if urlsplit(url).scheme != "data":
            self.hosts.add(urlsplit(url).hostname)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, demo: Demo) -> AsyncIterator[Page]:
    """The page, open and connected."""
    async with await browser.new_page() as page:
        await open_page(page, demo)
        yield page


@pytest_asyncio.fixture(loop_scope="session")
async def client(demo: Demo) -> AsyncIterator[ClientSession]:
    async with ClientSession(demo.url) as client:
        yield client


async def open_page(page: Page, demo: Demo) -> None:
    await page.goto(f"http://localhost:{demo.port}/")
    await expect(page.get_by_role("status")).to_contain_text("connected")


async def publish(client: ClientSession, text: str, sender: str = "ada") -> None:
    async with client.post("/messages", json={"sender": sender, "text": text}) as response:
        assert response.status == 201


async def test_messages_are_shown_as_they_come(page: Page, client: ClientSession) -> None:
    for text in ("one", "two"):
        await publish(client, text)
    await expect(page.get_by_role("listitem")).to_contain_text(["one", "two"])


async def test_what_was_said_before_is_shown_too(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await publish(client, "earlier")
    async with await browser.new_page() as page:
        await open_page(page, demo)
        await expect(page.get_by_role("listitem")).to_contain_text(["earlier"])


async def test_what_is_typed_is_published(page: Page, client: ClientSession) -> None:
    await page.get_by_label("Name").fill("bob")
    await page.get_by_label("Message", exact=True).fill("from the page")
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_role("listitem")).to_contain_text(["from the page"])
    async with client.get("/short-poll?after=0") as response:
        (message,) = (await response.json())["messages"]
    assert (message["sender"], message["text"]) == ("bob", "from the page")
    await expect(page.get_by_label("Message", exact=True)).to_have_value("")


async def test_markup_is_shown_as_text(page: Page, client: ClientSession) -> None:
    await publish(client, MARKUP, sender="<i>eve</i>")
    item = page.get_by_role("listitem")
    await expect(item).to_contain_text(MARKUP)
    await expect(item).to_contain_text("<i>eve</i>")
    assert await item.locator("img, i").count() == 0
    assert await page.title() != "broken into"


async def test_the_page_comes_back_after_a_restart(
    page: Page, demo: Demo, start_demo: StartDemo
) -> None:
    demo.stop()
    await expect(page.get_by_role("status")).to_contain_text("closed")
    again = start_demo(port=demo.port)
    await expect(page.get_by_role("status")).to_contain_text("connected")
    async with ClientSession(again.url) as client:
        await publish(client, "after the restart")
    await expect(page.get_by_role("listitem").last).to_contain_text("after the restart")


async def test_a_restart_that_lost_messages_is_said(
    page: Page, demo: Demo, client: ClientSession, start_demo: StartDemo
) -> None:
    await publish(client, "soon lost")
    await expect(page.get_by_role("listitem")).to_contain_text(["soon lost"])
    demo.stop()
    start_demo(port=demo.port)
    await expect(page.get_by_text("Some messages are gone")).to_be_visible()
    await expect(page.get_by_role("status")).to_contain_text("connected")


async def test_a_refused_message_is_said(page: Page) -> None:
    await page.get_by_label("Name").fill("bob")
    await page.get_by_label("Message", exact=True).evaluate("field => field.maxLength = 9999")
    await page.get_by_label("Message", exact=True).fill("x" * 4097)
    await page.get_by_role("button", name="Send").click()
    await expect(page.get_by_text("the limit is 4096")).to_be_visible()


async def test_what_is_typed_while_closed_stays(page: Page, demo: Demo) -> None:
    demo.stop()
    await expect(page.get_by_role("button", name="Send")).to_be_disabled()
    await page.get_by_label("Name").fill("bob")
    text = page.get_by_label("Message", exact=True)
    await text.fill("too soon")
    await text.press("Enter")
    await expect(text).to_have_value("too soon")


async def test_the_newest_message_is_in_view_unless_one_reads_further_up(
    page: Page, client: ClientSession
) -> None:
    items = page.get_by_role("listitem")
    for number in range(60):
        await publish(client, f"text {number}")
    await expect(items).to_have_count(60)
    await expect(items.last).to_be_in_viewport()
    await items.first.scroll_into_view_if_needed()
    await page.wait_for_function("document.getElementById('messages').scrollTop < 100")
    await publish(client, "not yet read")
    await expect(items).to_have_count(61)
    await expect(items.first).to_be_in_viewport()
    await expect(items.last).not_to_be_in_viewport()


async def test_a_server_that_dies_after_a_gap_is_not_stormed(page: Page) -> None:
    pauses = await page.evaluate(
        """async () => {
          const { openFeed } = await import("/page/feed.js");
          const gap = { data: '{"error": "gone", "epoch": "e", "oldest": 1, "cursor": 0}' };
          let opened = 0;
          Math.random = () => 1;
          window.WebSocket = class {
            constructor() {
              opened += 1;
              setTimeout(() => { if (opened === 1) this.onmessage(gap); this.onclose(); });
            }
          };
          const pauses_ms = [];
          return new Promise((done) => {
            openFeed("ws://localhost", {
              gap() {},
              closed(pause_ms) { if (pauses_ms.push(pause_ms) === 3) done(pauses_ms); },
            });
          });
        }"""
    )
    assert pauses == [0, 500, 1000]


@pytest.mark.parametrize(("width", "height"), SIZES)
async def test_nothing_is_complained_of_or_asked_elsewhere_and_all_fits(
    browser: Browser, demo: Demo, client: ClientSession, width: int, height: int
) -> None:
    async with await browser.new_page(viewport={"width": width, "height": height}) as page:
        watch = Watch(page)
        await open_page(page, demo)
        await publish(client, "x" * 500)
        await expect(page.get_by_role("listitem")).to_have_count(1)
        assert watch.complaints == []
        assert watch.hosts == {"localhost"}
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        assert await page.evaluate("document.documentElement.scrollHeight") <= height
        await expect(page.get_by_role("button", name="Send")).to_be_in_viewport()
