"""The classroom's pages for everyone: what is spoken, what can be reached, what is still."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from tests.classroom_pages import PHONE, SOON_MS, TOKEN, opened, phone, teacher
from tests.conftest import Demo, StartDemo, until_page

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LISTEN = """() => {
  window.spoken = [];
  const regions = "[role=status], [role=alert], [role=log], [role=timer], output, [aria-live]";
  new MutationObserver((changes) => {
    for (const { target } of changes) {
      const region = (target.closest ? target : target.parentElement)?.closest(regions);
      if (region && region.ariaLive !== "off") window.spoken.push(region.textContent);
    }
  }).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
STORM = 60  # messages, which are three seconds of it


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, demo: Demo) -> AsyncIterator[Page]:
    async with teacher(browser, demo, "?interval_s=0.2") as page:
        yield page


async def storm(page: Page, messages: str) -> None:
    """Wait until that counter has counted a storm's messages."""
    await until_page(
        page,
        "([selector, least]) => Number(document.querySelector(selector).textContent) >= least",
        [messages, STORM],
    )


# What a screen reader says


async def test_a_storm_is_not_spoken_on_the_projectors_page(page: Page) -> None:
    await expect(page.locator("#guesses .told")).to_contain_text("The next run")
    await page.get_by_role("combobox", name="Chatter").first.select_option("storm")
    await expect(page.locator("#guesses .told")).to_contain_text("storm")
    await page.evaluate(LISTEN)
    await storm(page, ".lane[data-mode=ws] .counters div:nth-child(3) dd")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#playback output")).to_contain_text("1.")  # s ago, and counting
    assert await page.evaluate("spoken") == []


async def test_a_storm_is_spoken_on_a_phone_now_and_then(browser: Browser, demo: Demo) -> None:
    async with phone(browser, demo, "ws") as one, teacher(browser, demo) as page:
        await one.evaluate(LISTEN)
        await page.get_by_role("combobox", name="Chatter").first.select_option("storm")
        await storm(one, "#messages")
        assert 0 < await one.evaluate("spoken.length") < STORM / 6


async def test_what_is_said_at_once_is_spoken_with_a_pause(browser: Browser, demo: Demo) -> None:
    async with opened(browser, PHONE) as page:
        await page.goto(f"{demo.url}/stats")
        spoken = await page.evaluate(
            """async () => {
              const { makeAnnouncer } = await import("/page/class/announce.js");
              const region = { textContent: "" };
              const [spoken, timers] = [[], []];
              const { say } = makeAnnouncer(region, (action) => { timers.push(action); });
              for (const text of ["one", "two", "three", "four"]) say(text);
              spoken.push(region.textContent);
              timers.shift()();
              spoken.push(region.textContent);
              timers.shift()();
              say("five");
              return [...spoken, region.textContent];
            }"""
        )
    assert spoken == ["one", "four (and 2 more before)", "five"]


async def test_what_went_wrong_can_be_read_until_something_else_is_tried(page: Page) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=500, body=json.dumps({"error": "it was not to be"}))

    why = page.locator("#controls .why")
    await page.route("**/class/restart", refuse)
    await page.get_by_role("button", name="New feed").click()
    await expect(why).to_have_text("it was not to be")
    for _ in range(2):  # the class is asked for each second
        async with page.expect_response("**/class"):
            pass
    await expect(why).to_have_text("it was not to be")
    await page.unroute("**/class/restart")
    await page.get_by_role("button", name="New feed").click()
    await expect(why).to_be_empty(timeout=SOON_MS)
