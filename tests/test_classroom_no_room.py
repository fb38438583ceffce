"""A phone for which the class has no room reads and chats as the others do."""

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from tests.classroom_pages import SOON_MS, TEACHER, TOKEN, phone, say
from tests.conftest import StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_phone_for_which_there_is_no_room_reads_chats_and_sees_the_class(
    browser: Browser, start_demo: StartDemo
) -> None:
    demo = start_demo("--token", TOKEN, "--max-readers", "1")
    async with ClientSession(demo.url) as client:
        async with client.get("/short-poll?reader=first&after=0"):
            pass
        async with phone(browser, demo, "short") as page:
            await say(page, "though nobody counts me")
            await expect(page.get_by_role("listitem")).to_contain_text(["though nobody counts me"])
            changes = {"stage": "guess"}
            async with client.post("/class/settings", json=changes, headers=TEACHER) as response:
                assert response.status == 200
            # By the answer to its next report.
            await expect(page.locator("#guess")).to_be_visible(timeout=SOON_MS)
        async with client.get("/class") as response:
            assert (await response.json())["uncounted"] > 0
