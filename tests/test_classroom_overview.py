"""The class at a glance: the invitation, who reads how, and how late the news is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from tests.classroom_pages import (
    MODES,
    PHONE,
    PROJECTOR,
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


async def test_the_class_is_shown_by_mode_while_it_reads(
    browser: Browser, demo: Demo, client: ClientSession, tmp_path: Path
) -> None:
    async with client.post(
        "/class/settings", json={"chatter": "lively"}, headers=TEACHER
    ) as response:
        assert response.status == 200
    async with (
        teacher(browser, demo) as page,
        phone(browser, demo, "short"),
        phone(browser, demo, "long"),
        phone(browser, demo, "ws"),
        phone(browser, demo, "ws"),
    ):
        section = page.locator("#class")
        await expect(section.locator(".total")).to_have_text("4 readers are here.", timeout=SOON_MS)
        for name, readers in zip(MODES.values(), ["1", "1", "2"], strict=True):
            row = section.get_by_role("row", name=name)
            await expect(row.locator(".figure").first).to_have_text(readers)
            await expect(row.locator(".dots i")).to_have_count(int(readers))
            await expect(row.locator(".late")).to_contain_text("clocks ±", timeout=SOON_MS)
        await show(page, "#class")
        await shoot(page, "projector-class", tmp_path)


async def test_a_phone_that_leaves_is_no_longer_counted(browser: Browser, demo: Demo) -> None:
    async with teacher(browser, demo) as page:
        told = page.locator("#class .total")
        async with phone(browser, demo, "ws"):
            await expect(told).to_have_text("One reader is here.", timeout=SOON_MS)
        await expect(told).to_have_text("Nobody is here yet.", timeout=2 * SOON_MS)


async def test_on_loopback_the_page_says_how_to_let_the_class_in(
    browser: Browser, demo: Demo
) -> None:
    async with teacher(browser, demo) as page:
        await expect(page.locator("#class")).to_contain_text("--host 0.0.0.0")
        await expect(page.locator("#class")).to_contain_text("join its network or open a hotspot")
        await expect(page.get_by_role("button", name="Show large")).to_have_count(0)


async def test_beyond_loopback_the_code_and_the_address_can_be_seen_from_the_last_row(
    browser: Browser, start_demo: StartDemo, tmp_path: Path
) -> None:
    demo = start_demo("--token", TOKEN, "--host", "0.0.0.0")
    async with teacher(browser, demo) as page:
        section = page.locator("#class")
        await expect(section.locator(".address")).to_contain_text(f":{demo.port}/join")
        await section.get_by_role("button", name="Show large").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.locator(".address")).to_contain_text(f":{demo.port}/join")
        code = dialog.get_by_role("img")
        await expect(code).to_have_js_property("complete", value=True)
        box = await code.bounding_box()
        assert box is not None
        assert box["height"] > PROJECTOR[1] * 0.6
        assert await code.evaluate("(image) => image.naturalWidth") > 0
        await shoot(page, "projector-join", tmp_path)
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        said = next(line for line in demo.said if line.startswith("Students: "))
        assert said.endswith(await section.locator(".address").inner_text())


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [PROJECTOR, PHONE], ids=["projector", "phone"])
async def test_the_class_fits_every_screen_and_asks_nobody_else(
    browser: Browser, demo: Demo, size: tuple[int, int], dark: bool, tmp_path: Path
) -> None:
    async with opened(browser, size, dark=dark) as page, phone(browser, demo, "ws"):
        watch = Watch(page)
        await page.goto(f"http://localhost:{demo.port}/")
        section = page.locator("#class")
        await expect(section.locator(".total")).to_have_text("One reader is here.", timeout=SOON_MS)
        await show(page, "#class")
        await shoot(page, f"class-{size[0]}-{'dark' if dark else 'light'}", tmp_path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert watch.complaints == []
        assert watch.hosts == {"localhost"}
