"""The classroom's pages as tests open them: the teacher's, a visitor's, a phone's."""

import os
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

from aiohttp import ClientSession
from playwright.async_api import Browser, BrowserContext, Error, Page, Route, expect

from tests.conftest import Demo

PAGE = Path(__file__).parent.parent / "demo" / "page"
TOKEN = "known-to-the-teacher"
TEACHER = {"Authorization": f"Bearer {TOKEN}"}
MODES = {"short": "Short polling", "long": "Long polling", "ws": "WebSocket"}
PROJECTOR, LAPTOP, PHONE = (1920, 1080), (1280, 720), (360, 740)
MARKUP = "<img src=x onerror=\"document.title='broken into'\"><b>bold</b>"
REFUSE_STORAGE = """for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, {
    get() { throw new DOMException("this browser keeps nothing", "SecurityError"); },
  });
}"""
SOON_MS = 15_000  # phones report every 2 s, and the class is asked for every second


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
        if urlsplit(url).scheme not in {"data", "blob"}:
            self.hosts.add(urlsplit(url).hostname)


# Windows in which no test has a page. A browser is closed when a worker has no test for a moment.
FREE: WeakKeyDictionary[Browser, list[BrowserContext]] = WeakKeyDictionary()


@asynccontextmanager
async def opened(
    browser: Browser, size: tuple[int, int], *, dark: bool = False, once: bool = False
) -> AsyncIterator[Page]:
    """Open an empty page in a window of its own: it shares no storage with another.

    To open a window takes a second of CPU, so that it is used again, with nothing left in it.

    once: it is not, since something stays in it, such as a clock that all later pages would have
    """
    free = FREE.setdefault(browser, [])
    window = free.pop() if free else await new_window(browser)
    page = await window.new_page()
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await page.emulate_media(color_scheme="dark" if dark else "light")
    yield page
    with suppress(Error):  # a page that keeps nothing, or is empty
        await page.evaluate("localStorage.clear()")
    if once:
        await window.close()
        return
    for each in window.pages[1:]:
        await each.close()
    await window.clear_cookies()
    free.append(window)


async def new_window(browser: Browser) -> BrowserContext:
    """Open a window that stays open, since there is a page in it that nobody uses."""
    window = await browser.new_context()
    await window.new_page()
    return window


@asynccontextmanager
async def modules(browser: Browser) -> AsyncIterator[Page]:
    """Open an empty page that can import the pages' modules; it has no server."""

    async def give(route: Route) -> None:
        path = urlsplit(route.request.url).path
        if path == "/":
            await route.fulfill(body="<!doctype html>", content_type="text/html")
        else:
            await route.fulfill(path=PAGE / path.removeprefix("/page/"))

    async with opened(browser, PHONE) as page:
        await page.route("**/*", give)
        await page.goto("http://localhost/")
        yield page


@asynccontextmanager
async def teacher(
    browser: Browser, demo: Demo, query: str = "", size: tuple[int, int] = PROJECTOR
) -> AsyncIterator[Page]:
    """Open the teacher's page."""
    async with opened(browser, size) as page:
        await page.goto(f"http://localhost:{demo.port}/{query}#token={TOKEN}")
        await expect(page.locator("#guesses").get_by_role("button").first).to_be_enabled()
        yield page


@asynccontextmanager
async def phone(browser: Browser, demo: Demo, mode: str | None = None) -> AsyncIterator[Page]:
    """Open a student's phone, and wait until it reads."""
    async with opened(browser, PHONE) as page:
        await join(page, demo, mode)
        yield page


async def join(page: Page, demo: Demo, mode: str | None = None) -> None:
    await page.goto(f"http://localhost:{demo.port}/join" + (f"?mode={mode}" if mode else ""))
    name = MODES[mode] if mode else re.compile("|".join(MODES.values()))
    await expect(page.locator("#mode")).to_have_text(name)
    await expect(page.locator("#requests")).to_have_text(re.compile(r"\d"))


async def say(page: Page, text: str, name: str = "bob") -> None:
    """Let a phone say something."""
    await page.get_by_label("Name").fill(name)
    await page.get_by_label("Message", exact=True).fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()


async def show(page: Page, section: str) -> None:
    """Bring a section of the page into view, at once."""
    await page.locator(section).evaluate(
        "(found) => found.scrollIntoView({ behavior: 'instant', block: 'start' })"
    )


async def shoot(page: Page, name: str, folder: Path) -> None:
    """Take a screenshot into `$SCREENSHOTS`, or else into the test's own folder."""
    folder = Path(os.environ.get("SCREENSHOTS", folder))
    await page.screenshot(path=folder / f"{name}.png", animations="disabled")


async def ask_until(client: ClientSession, path: str, right: Callable[[Any], bool]) -> Any:
    """Ask for some JSON again and again, until it is as it should be."""
    give_up = time.monotonic() + SOON_MS / 1000
    while True:
        async with client.get(path) as response:
            answer = await response.json()
        if right(answer):
            return answer
        assert time.monotonic() < give_up, answer
