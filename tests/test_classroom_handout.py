"""The handout: theory as the analysis has it, the class's own figures, two sheets of paper."""

import itertools
import re
from pathlib import Path
from types import ModuleType

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
    modules,
    opened,
    phone,
    shoot,
)
from tests.conftest import Demo, StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


def case(rtt_s: float, rate: float, *, keepalive: bool, interval_s: float = 1) -> Case:
    asks_again_s = rtt_s if keepalive else 2 * rtt_s  # a new connection takes a round trip
    return Case(
        clients=1,
        rate_per_s=rate,
        interval_s=interval_s,
        hold_s=25,
        transit_s=rtt_s / 2,
        round_trip_s=asks_again_s,
        rearm_s=asks_again_s,
        per_reader_s=0,
        session_s=60,
    )


@pytest.mark.parametrize("rtt_s", [0.05, 0.3])
async def test_its_theory_is_the_analyses(browser: Browser, rtt_s: float) -> None:
    cases = list(itertools.product((1 / 3, 2, 20), (True, False), (True, False)))
    async with modules(browser) as page:
        says = await page.evaluate(
            """async ([rtt_ms, cases]) => {
              const { theoryOf } = await import("/page/class/handout/theory.js");
              const common = { interval_s: 1, hold_s: 25, rtt_ms };
              return cases.map(([rate, keepalive, hold]) =>
                theoryOf({ ...common, keepalive, hold }, rate));
            }""",
            [rtt_s * 1000, cases],
        )
    for (rate, keepalive, hold), told in zip(cases, says, strict=True):
        asking = case(rtt_s, rate, keepalive=keepalive)
        unheld = case(rtt_s, rate, keepalive=keepalive, interval_s=0.05)
        agree(told["short"], short_polling, asking)
        agree(told["long"], *((long_polling, asking) if hold else (short_polling, unheld)))


def agree(told: dict[str, float], mode: ModuleType, case: Case) -> None:
    assert told["latency_s"] == pytest.approx(mode.latency_mean_s(case))
    assert told["requests_per_s"] == pytest.approx(mode.requests_per_client_s(case))
    assert told["empty_share"] == pytest.approx(mode.empty_share(case), abs=1e-12)


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
        later = {"interval_s": 5, "hold": False}  # theory is to stay beside what was measured
        async with client.post("/class/settings", json=later) as response:
            assert response.status == 200
        await page.goto(f"http://localhost:{demo.port}/handout")
        await expect(page.get_by_text("What the class measured in 5 s")).to_be_visible()
        await expect(page.get_by_text("Interval 1 s, hold 25 s, 2 messages")).to_be_visible()
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
