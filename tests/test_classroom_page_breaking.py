"""Break it, turn it off: what each lane notices, how it comes back, what it has lost."""

import json
import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.classroom_pages import MODES, SOON_MS, TEACHER, TOKEN, ask_until, teacher
from tests.conftest import Demo, StartDemo, until
from tests.test_classroom_page_lanes import agree, lane, messages, publish, readers, show_all

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


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


def figure(page: Page, mode: str, name: str) -> Locator:
    box = lane(page, mode).locator(".counters div")
    return box.filter(has=page.get_by_text(name, exact=True)).locator("dd")


async def cut(page: Page, client: ClientSession, mode: str) -> None:
    """Cut a lane that has had a message."""
    await publish(client, "before")
    await show_all(page, "before")
    await lane(page, mode).get_by_role("button", name="Cut").click()
    await expect(lane(page, mode).locator("li.failed").first).to_be_visible(timeout=SOON_MS)


@pytest.mark.parametrize("mode", MODES)
async def test_a_lane_that_is_cut_catches_up_and_loses_nothing(
    page: Page, client: ClientSession, mode: str
) -> None:
    await cut(page, client, mode)
    await publish(client, "one", "two", "three")
    verdict = lane(page, mode).locator("li.verdict")
    await expect(verdict).to_contain_text(
        re.compile(r"Back after .* caught up on 3 from cursor 1, lost 0\."), timeout=2 * SOON_MS
    )
    await show_all(page, "before", "one", "two", "three")
    await expect(figure(page, mode, "missing")).to_have_text("0")


@pytest.mark.parametrize("mode", MODES)
async def test_after_a_cut_the_counters_are_the_servers(
    page: Page, client: ClientSession, mode: str
) -> None:
    await cut(page, client, mode)
    await publish(client, "meanwhile")  # a long poll is answered at once then
    await expect(lane(page, mode).locator("li.verdict")).to_be_visible(timeout=2 * SOON_MS)
    names = await readers(page)
    await page.get_by_label("Interval").select_option("10 s")  # so that a count can stand
    await agree(page, client, names, mode)


@pytest.mark.parametrize(
    ("mode", "says"),
    [
        ("short", "Without a cursor nobody can say what it has lost"),
        ("ws", "lost 3, for want of a"),
    ],
)
async def test_a_lane_without_a_cursor_does_not_say_that_it_has_lost_nothing(
    page: Page, client: ClientSession, mode: str, says: str
) -> None:
    await publish(client, "before")
    await show_all(page, "before")
    await page.get_by_role("switch", name="Cursor").click()
    await page.wait_for_url(re.compile("cursor=off"))
    await lane(page, mode).get_by_role("button", name="Cut").click()
    await expect(lane(page, mode).locator("li.failed").first).to_be_visible(timeout=SOON_MS)
    await publish(client, "one", "two", "three")
    verdict = lane(page, mode).locator("li.verdict")
    await expect(verdict).to_contain_text(says, timeout=2 * SOON_MS)


async def test_without_a_cursor_what_was_said_before_the_page_was_there_is_not_missing(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await publish(client, "one", "two", "three")
    async with teacher(browser, demo, "?interval_s=0.2&cursor=off") as page:
        for mode in MODES:
            await publish(client, f"for {mode}")  # a long poll is answered then
            await expect(figure(page, mode, "requests")).not_to_have_text("0")
        await expect(messages(page, "ws")).to_have_text(
            [re.compile(f"for {mode}") for mode in MODES]
        )
        assert await figure(page, "ws", "missing").inner_text() == "0"


async def test_a_new_feed_is_told_to_every_lane(page: Page, client: ClientSession) -> None:
    await new_feed(page, told=1)  # of which nobody has heard anything yet
    await publish(client, "soon gone")
    await show_all(page, "soon gone")
    await new_feed(page, told=2)
    await publish(client, "in the new one")
    await show_all(page, "soon gone", "in the new one")


async def new_feed(page: Page, told: int) -> None:
    """Let the feed begin anew; wait until every lane has been told of so many."""
    await page.get_by_role("button", name="New feed").click()
    for mode in MODES:
        gaps = lane(page, mode).locator("li.gap")
        await expect(gaps).to_have_count(told, timeout=SOON_MS)
        await expect(gaps.last).to_contain_text("gap")


async def test_the_page_comes_back_after_the_server_was_away(
    page: Page, demo: Demo, client: ClientSession, start_demo: StartDemo
) -> None:
    await publish(client, "soon gone")
    await show_all(page, "soon gone")
    demo.stop()
    await expect(page.locator("#state")).to_contain_text("does not answer", timeout=SOON_MS)
    again = start_demo("--token", TOKEN, port=demo.port)
    for mode in MODES:
        await expect(lane(page, mode).locator("li.gap")).to_be_visible(timeout=3 * SOON_MS)
    await expect(page.locator("#state")).to_have_text("connected", timeout=SOON_MS)
    async with ClientSession(again.url) as restarted:
        await publish(restarted, "after the restart")
    await show_all(page, "soon gone", "after the restart")


async def test_silence_holds_every_answer_back_and_loses_none(
    page: Page, client: ClientSession
) -> None:
    asked: dict[str, object] = {}

    async def lengthen(route: Route) -> None:
        reader = urlsplit(route.request.url).path.split("/")[-2]
        answer = await route.fetch(post_data=json.dumps({"stall_s": 120}))
        asked[reader] = route.request.post_data_json
        await route.fulfill(response=answer)

    await publish(client, "before")
    await show_all(page, "before")
    await page.route("**/line", lengthen)
    names = await readers(page)
    await page.get_by_role("button", name="Silence, 3 s").click()
    await until(lambda: len(asked) == len(MODES))
    assert asked == {reader: {"stall_s": 3} for reader in names.values()}
    await publish(client, "one", "two")
    for reader in names.values():
        await behind(client, reader, 2)
    await show_all(page, "before")
    for reader in names.values():
        await change_line(client, reader, stall_s=0)
    await show_all(page, "before", "one", "two")
    for mode in MODES:
        await expect(lane(page, mode).locator("li.failed")).to_have_count(0)


async def behind(client: ClientSession, reader: str, count: int) -> None:
    """Wait until a reader has yet to get so many messages."""
    path = f"/class/tallies?readers={reader}"
    await ask_until(client, path, lambda told: told[reader]["cursor_behind"] == count)


async def change_line(client: ClientSession, reader: str, **change: float) -> None:
    path = f"/class/readers/{reader}/line"
    async with client.post(path, json=change, headers=TEACHER) as response:
        assert response.status == 200


async def test_a_slow_reader_falls_behind_until_it_is_slow_no_more(
    page: Page, client: ClientSession
) -> None:
    button = lane(page, "ws").get_by_role("button", name="Slow")
    texts = [f"{number} {'x' * 2000}" for number in range(20)]
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await publish(client, *texts)
    for mode in ("short", "long"):
        await expect(messages(page, mode)).to_have_count(20, timeout=SOON_MS)
    assert await messages(page, "ws").count() < 20
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "false")
    await show_all(page, *texts)


async def test_a_button_is_not_pressed_when_the_server_refuses(page: Page) -> None:
    refusal = json.dumps({"error": "not now"})
    await page.route("**/line", lambda route: route.fulfill(status=409, body=refusal))
    button = lane(page, "ws").get_by_role("button", name="Slow")
    await button.click()
    await expect(page.locator("#controls .why")).to_have_text("not now")
    await expect(button).to_have_attribute("aria-pressed", "false")


async def test_a_server_that_has_begun_anew_is_slow_to_nobody(page: Page) -> None:
    async def forget(route: Route) -> None:
        told = await (await route.fetch()).json()
        none = dict.fromkeys(("requests", "bytes_in", "bytes_out"), 0)
        await route.fulfill(json={reader: {**each, **none} for reader, each in told.items()})

    button = lane(page, "ws").get_by_role("button", name="Slow")
    await expect(figure(page, "ws", "bytes up")).to_have_text(re.compile(r"\d"))
    await button.click()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await page.route("**/class/tallies?*", forget)
    await expect(button).to_have_attribute("aria-pressed", "false")
    await expect(figure(page, "ws", "bytes up")).not_to_have_text("0 B")


async def test_without_a_cursor_messages_go_missing_and_with_it_they_come_back(
    page: Page, client: ClientSession
) -> None:
    await publish(client, "before")
    await show_all(page, "before")
    await page.get_by_role("switch", name="Cursor").click()
    await page.wait_for_url(re.compile("cursor=off"))
    await expect(messages(page, "short")).to_have_count(1)
    await publish(client, "one", "two")
    await expect(figure(page, "short", "missing")).to_have_text("2", timeout=SOON_MS)
    await expect(lane(page, "short").locator(".alarm")).to_contain_text("missing")
    await page.get_by_role("switch", name="Cursor").click()
    await expect(figure(page, "short", "missing")).to_have_text("0", timeout=SOON_MS)
    await expect(messages(page, "short")).to_contain_text(["before", "one", "two"])


async def test_without_a_hold_long_polling_asks_in_vain_again_and_again(
    page: Page, client: ClientSession
) -> None:
    await expect(figure(page, "long", "empty")).to_have_text("0")
    await page.get_by_role("switch", name="Hold").click()
    await page.wait_for_url(re.compile("hold=off"))
    await publish(client, "ends the poll that is still held")
    await expect(figure(page, "long", "empty")).to_have_text(re.compile(r"\d{2}"), timeout=SOON_MS)
