"""What the class measured, kept: a download that the analysis reads."""

import zipfile
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from clients.log import Log, read
from tests.classroom_pages import LAPTOP, MODES, SOON_MS, TEACHER, TOKEN, opened, phone, teacher
from tests.conftest import Demo, StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


def unpacked(file: Path) -> Log:
    with zipfile.ZipFile(file) as archive:
        archive.extractall(file.parent)
    (described,) = file.parent.rglob("experiment.json")
    return read(described.parent)


async def test_the_download_is_a_log_with_every_mode(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    async with (
        teacher(browser, demo) as page,
        phone(browser, demo, "short"),
        phone(browser, demo, "long"),
        phone(browser, demo, "ws"),
        ClientSession(demo.url, headers=TEACHER) as client,
    ):
        async with client.post("/class/run", json={"seconds": 5, "chatter": "lively"}) as response:
            assert response.status == 200
        await expect(page.locator("#guesses .told")).to_contain_text("Measured", timeout=SOON_MS)
        async with page.expect_download() as downloading:
            await page.get_by_role("button", name="Download the class's log").click()
        download = await downloading.value
        await download.save_as(tmp_path / download.suggested_filename)
        await expect(page.locator("#keep")).to_contain_text("Downloaded: class-log.zip")
    log = unpacked(tmp_path / "class-log.zip")
    assert sorted(log.runs["mode"]) == sorted(MODES)
    assert set(log.deliveries["run"]) == set(log.runs["run"])
    assert set(log.requests["run"]) == set(log.runs["run"])


async def test_a_visitor_cannot_download_and_is_told_why(browser: Browser, demo: Demo) -> None:
    async with opened(browser, LAPTOP) as page:
        await page.goto(f"http://localhost:{demo.port}/")
        section = page.locator("#keep")
        await expect(section.get_by_role("button")).to_be_disabled()
        await expect(section).to_contain_text("Only the teacher's page")


async def test_with_nothing_measured_the_page_says_so(browser: Browser, demo: Demo) -> None:
    async with teacher(browser, demo) as page:
        await page.get_by_role("button", name="Download the class's log").click()
        await expect(page.locator("#keep").get_by_role("status")).to_contain_text(
            "Nothing downloaded: nothing has been measured yet"
        )
