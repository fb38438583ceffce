"""The handout: theory as the analysis has it, the class's own figures, two sheets of paper."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from analysis.theory import long_polling, short_polling
from analysis.theory.case import Case
from tests.classroom_pages import (
    LAPTOP,
    PHONE,
    TEACHER,
    TOKEN,
    Watch,
    ask_until,
    opened,
    phone,
    shoot,
)
from tests.conftest import Demo, StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


@pytest.mark.parametrize("rtt_s", [0.05, 0.3])
@pytest.mark.parametrize("rate", [1 / 3, 2, 20])
async def test_its_theory_is_the_analyses(
    browser: Browser, demo: Demo, rtt_s: float, rate: float
) -> None:
    case = Case(
        clients=1,
        rate_per_s=rate,
        interval_s=1,
        hold_s=25,
        transit_s=rtt_s / 2,
        round_trip_s=rtt_s,
        rearm_s=rtt_s,
        per_reader_s=0,
        session_s=60,
    )
    async with opened(browser, LAPTOP) as page:
        await page.goto(f"http://localhost:{demo.port}/handout")
        says = await page.evaluate(
            """async (given) => {
              const { THEORY } = await import("/page/class/handout/theory.js");
              return [THEORY.short(given), THEORY.long(given)];
            }""",
            {"interval_s": 1, "hold_s": 25, "rtt_s": rtt_s, "rate": rate},
        )
    for mode, figures in zip((short_polling, long_polling), says, strict=True):
        assert figures["latency_s"] == pytest.approx(mode.latency_mean_s(case))
        assert figures["requests_per_s"] == pytest.approx(mode.requests_per_client_s(case))
        assert figures["empty_share"] == pytest.approx(mode.empty_share(case), abs=1e-12)


async def test_it_prints_on_two_sheets(browser: Browser, demo: Demo, tmp_path: Path) -> None:
    async with opened(browser, LAPTOP) as page:
        await page.goto(f"http://localhost:{demo.port}/handout")
        await expect(page.locator("body[data-ready]")).to_be_visible()
        sheets = await page.pdf(prefer_css_page_size=True, print_background=True)
    assert len(re.findall(rb"/Type\s*/Page\b", sheets)) == 2


async def test_what_the_class_measured_is_filled_in(browser: Browser, demo: Demo) -> None:
    async with (
        ClientSession(demo.url, headers=TEACHER) as client,
        phone(browser, demo, "short"),
        opened(browser, LAPTOP) as page,
    ):
        async with client.post("/class/run", json={"seconds": 5, "chatter": "lively"}) as response:
            assert response.status == 200
        await ask_until(client, "/class", lambda state: state["run"]["result"] is not None)
        await page.goto(f"http://localhost:{demo.port}/handout")
        await expect(page.get_by_text("What the class measured in 5 s")).to_be_visible()
        row = page.get_by_role("row", name=re.compile("^requests of one reader"))
        await expect(row.get_by_role("cell").last).to_have_text(re.compile(r"^\d+$"))


@pytest.mark.parametrize("size", [LAPTOP, PHONE], ids=["laptop", "phone"])
async def test_it_fits_the_screen_and_complains_of_nothing(
    browser: Browser, demo: Demo, size: tuple[int, int], tmp_path: Path
) -> None:
    async with opened(browser, size) as page:
        watch = Watch(page)
        await page.goto(f"http://localhost:{demo.port}/handout")
        await expect(page.locator("svg.sketch")).to_have_count(3)
        await shoot(page, f"handout-{size[0]}", tmp_path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size[0]
        assert watch.complaints == []
        assert watch.hosts == {"localhost"}
