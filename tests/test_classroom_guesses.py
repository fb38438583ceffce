"""Predict, then reveal: guesses stay hidden, and stand beside the measurement on one chart."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, Locator, Page, expect

from tests.classroom_pages import (
    LAPTOP,
    MODES,
    PHONE,
    PROJECTOR,
    REFUSE_STORAGE,
    SOON_MS,
    TEACHER,
    TOKEN,
    Watch,
    opened,
    phone,
    shoot,
    show,
    teacher,
)
from tests.conftest import Demo, StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


@pytest_asyncio.fixture(loop_scope="session")
async def client(demo: Demo) -> AsyncIterator[ClientSession]:
    async with ClientSession(demo.url) as client:
        yield client


async def guess(page: Page, requests: str, latency_ms: str, mode: str) -> None:
    form = page.locator("#guess")
    await expect(form).to_be_visible(timeout=SOON_MS)
    await form.get_by_role("spinbutton", name=re.compile("How many requests")).fill(requests)
    await form.get_by_role("spinbutton", name=re.compile("how late")).fill(latency_ms)
    await form.get_by_role("radio", name=MODES[mode]).check()
    await form.get_by_role("button", name="Send my guess").click()
    await expect(form.get_by_role("status")).to_contain_text("Your guess is in")


async def post(client: ClientSession, path: str, body: object) -> None:
    async with client.post(f"/class/{path}", json=body, headers=TEACHER) as response:
        assert response.status == 200, await response.text()


async def guess_for_many(client: ClientSession, count: int) -> None:
    """Let a class guess that differs by factors, as classes do."""
    requests = [60, 60, 60, 30, 120, 1, 3600, 59, 600]
    late_ms = [500, 500, 1000, 100, 250, 2000, 50, 10]
    for number in range(count):
        answers = {
            "requests_per_minute": requests[number % len(requests)],
            "latency_ms": late_ms[number % len(late_ms)],
            "fewest_bytes": ["ws", "ws", "short", "ws", "long"][number % 5],
        }
        reader = f"made.{number}"
        async with client.get("/short-poll", params={"reader": reader, "close": 1}):
            await post(client, "guesses", {"reader": reader, "answers": answers})


def stage(page: Page, name: str) -> Locator:
    return page.locator("#guesses").get_by_role("button", name=name)


async def test_guesses_and_measurement_stand_on_one_chart(
    browser: Browser, demo: Demo, client: ClientSession, tmp_path: Path
) -> None:
    async with (
        teacher(browser, demo) as page,
        phone(browser, demo, "short") as one,
        phone(browser, demo, "long") as two,
        phone(browser, demo, "ws"),
    ):
        section = page.locator("#guesses")
        await stage(page, "2 Guess").click()
        await guess(one, "60", "500", "ws")
        await guess(two, "3600", "20", "short")
        await guess_for_many(client, 24)
        await expect(section.get_by_text("26 guesses are in")).to_be_visible()
        await show(page, "#guesses")
        await shoot(page, "projector-guess", tmp_path)
        await shoot(one, "phone-guess", tmp_path)
        await post(client, "run", {"seconds": 5, "chatter": "lively"})
        await expect(section.locator(".told")).to_contain_text("Measured", timeout=SOON_MS)
        await stage(page, "4 Reveal").click()
        for title in ("Requests of one reader in a minute", "How late a message is on average"):
            chart = section.locator(".chart").filter(has_text=title).locator("svg")
            await expect(chart.locator("circle.guess")).to_have_count(26)
            for name in MODES.values():
                await expect(chart.locator(".measured", has_text=name)).to_have_count(1)
        votes = section.get_by_role("table")
        await expect(votes.locator(".voted")).to_have_text(["6", "4", "16"])
        await expect(votes.locator(".measured", has_text="the fewest")).to_have_count(1)
        await show(page, "#guesses")
        await shoot(page, "projector-reveal", tmp_path)
        await expect(one.locator("#answer")).to_contain_text("You said: 60 requests")
        await expect(one.locator("#answer li")).to_have_count(9)
        await shoot(one, "phone-reveal", tmp_path)


async def test_a_phone_keeps_its_guess_through_a_reload_and_not_into_the_next_round(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await post(client, "settings", {"stage": "guess"})
    async with phone(browser, demo, "ws") as page:
        told = page.locator("#guess").get_by_role("status")
        await guess(page, "60", "500", "ws")
        await page.reload()
        await expect(told).to_contain_text("Your guess is in", timeout=SOON_MS)
        for stage in ("reveal", "chat", "guess"):
            await post(client, "settings", {"stage": stage})
        await expect(told).to_be_empty(timeout=SOON_MS)


async def test_nobody_sees_a_guess_before_the_reveal(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await post(client, "settings", {"stage": "guess"})
    await guess_for_many(client, 3)
    async with teacher(browser, demo) as page:
        await expect(page.locator("#guesses .count")).to_have_text("3 guesses are in.")
        assert await page.locator("#guesses .chart").count() == 0
        seen = await page.evaluate("fetch('/class').then((answer) => answer.json())")
        assert seen["guesses"]["answers"] == []


async def test_the_questions_name_the_settings_of_the_run(browser: Browser, demo: Demo) -> None:
    async with teacher(browser, demo) as page, phone(browser, demo, "ws") as one:
        await page.evaluate(
            """(token) => fetch("/class/settings", {
              method: "POST", headers: { Authorization: `Bearer ${token}` },
              body: '{"interval_s": 5, "chatter": "storm", "stage": "guess"}',
            })""",
            TOKEN,
        )
        for asked in (page.locator("#guesses"), one.locator("#guess")):
            await expect(asked).to_contain_text("pauses 5 s between", timeout=SOON_MS)
            await expect(asked).to_contain_text("With 20 messages a second")


async def test_what_is_typed_stays_while_the_class_goes_on(
    browser: Browser, demo: Demo, client: ClientSession
) -> None:
    await post(client, "settings", {"stage": "guess", "chatter": "storm"})
    async with phone(browser, demo, "ws") as page:
        field = page.get_by_role("spinbutton").first
        await field.fill("60")
        async with page.expect_response("**/class/reports"):
            pass
        async with page.expect_response("**/class/reports"):
            pass
        await expect(field).to_have_value("60")


async def test_a_visitor_cannot_use_the_stages_and_is_told_why(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, LAPTOP) as page:
        await page.goto(f"http://localhost:{demo.port}/")
        section = page.locator("#guesses")
        await expect(section.get_by_text("Only the teacher's page")).to_be_visible()
        await expect(section.get_by_role("button")).to_have_count(4)
        for button in await section.get_by_role("button").all():
            await expect(button).to_be_disabled()


async def test_the_token_leaves_the_address_and_opens_the_lessons_links(
    browser: Browser, demo: Demo
) -> None:
    async with teacher(browser, demo) as page:
        assert TOKEN not in page.url
        async with await page.context.new_page() as other:
            await other.goto(f"http://localhost:{demo.port}/")
            await expect(stage(other, "2 Guess")).to_be_enabled()


async def test_a_browser_that_refuses_to_store_the_token_keeps_it_through_a_reload(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, LAPTOP) as page:
        await page.add_init_script(REFUSE_STORAGE)
        await page.goto(f"http://localhost:{demo.port}/#token={TOKEN}")
        await expect(stage(page, "2 Guess")).to_be_enabled()
        await page.reload()
        await expect(stage(page, "2 Guess")).to_be_enabled()
        assert TOKEN not in page.url


async def test_a_token_that_the_server_does_not_know_opens_nothing(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, LAPTOP) as page:
        await page.goto(f"http://localhost:{demo.port}/#token=guessed")
        await expect(page.locator("#guesses").get_by_text("Only the teacher's")).to_be_visible()
        assert await page.evaluate("Object.keys(localStorage).length") == 0


async def test_a_tab_whose_token_is_old_leaves_the_new_one_to_the_other_tabs(
    browser: Browser, demo: Demo
) -> None:
    async with opened(browser, LAPTOP) as page:
        await page.goto(f"{demo.url}/stats#token=of an earlier start")
        kept = await page.evaluate(
            """async () => {
              const { openRoom } = await import("/page/class/room.js");
              const room = openRoom({ polling: false });
              const [key] = Object.keys(localStorage);
              localStorage.setItem(key, '"of a newer tab"');
              await room.ready;
              return [room.teacher, localStorage.getItem(key)];
            }"""
        )
    assert kept == [False, '"of a newer tab"']


@pytest.mark.parametrize("size", [PROJECTOR, LAPTOP, PHONE], ids=["projector", "laptop", "phone"])
async def test_the_reveal_fits_every_screen(
    browser: Browser, demo: Demo, client: ClientSession, size: tuple[int, int], tmp_path: Path
) -> None:
    await post(client, "settings", {"stage": "guess"})
    await guess_for_many(client, 60)
    await post(client, "settings", {"stage": "reveal"})
    async with opened(browser, size) as page:
        watch = Watch(page)
        await page.goto(f"http://localhost:{demo.port}/")
        await expect(page.locator("#guesses circle.guess")).to_have_count(120)
        await show(page, "#guesses")
        await shoot(page, f"reveal-{size[0]}", tmp_path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert watch.complaints == []
