"""The lesson's links: each sets the page up as it says, and opens at the section it speaks of."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, expect

from tests.classroom_pages import PAGE, TOKEN, ask_until, teacher
from tests.conftest import Demo, StartDemo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

LESSON = Path(__file__).parent.parent / "docs" / "lesson.md"
HANDOUT = PAGE / "handout.html"
LINKS = re.findall(r"\(http://localhost:3001/(\?[^)]*)\)", LESSON.read_text("utf-8"))
SETTINGS = {"interval_s", "hold_s", "chatter", "rtt_ms", "keepalive", "cursor", "hold", "stage"}


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    return start_demo("--token", TOKEN)


def said(query: str) -> dict[str, object]:
    """Return the settings that a link asks for, as GET /class has them."""
    switches = {"on": True, "off": False}
    return {
        name: switches[text] if name in {"keepalive", "cursor", "hold"} else _parsed(text)
        for name, text in parse_qsl(query)
    }


def _parsed(text: str) -> float | str:
    return float(text) if re.fullmatch(r"[\d.]+", text) else text


@pytest.mark.parametrize("link", LINKS)
async def test_a_link_of_the_lesson_sets_the_page_up(
    browser: Browser, demo: Demo, link: str
) -> None:
    parts = urlsplit(link)
    asked = said(parts.query)
    assert asked.keys() == SETTINGS, "a link leaves nothing as an earlier step had it"
    async with (
        ClientSession(demo.url) as client,
        teacher(browser, demo) as page,
        await page.context.new_page() as other,
    ):
        await other.goto(f"http://localhost:{demo.port}/{link}")
        await expect(other.locator(f"#{parts.fragment} h2").first).to_be_in_viewport()
        await ask_until(client, "/class", lambda state: state["settings"] == asked)


async def test_each_step_has_a_link() -> None:
    steps = re.findall(r"(?ms)^## \d (.*?)(?=^## )", LESSON.read_text("utf-8"))
    assert len(steps) == 9
    assert [step.splitlines()[0] for step in steps if "(http://localhost:3001/?" not in step] == []


async def test_the_handout_has_the_formulas_that_the_homework_names() -> None:
    named = set(re.findall(r"1/([A-Z])\b", LESSON.read_text("utf-8")))
    assert named == {"C", "E"}
    for letter in named:
        assert f"<var>{letter}</var> = " in HANDOUT.read_text("utf-8")


async def test_the_minutes_of_the_plan_add_up() -> None:
    plan = re.findall(r"\| (\d+) to (\d+) \| (\d) ", LESSON.read_text("utf-8"))
    ends = [0, *(int(end) for _, end, _ in plan)]
    assert [int(start) for start, _, _ in plan] == ends[:-1]
    assert ends[-1] == 45
    lengths = re.findall(r"## (\d) .* \((\d+) minutes\)", LESSON.read_text("utf-8"))
    assert [(step, str(int(end) - int(start))) for start, end, step in plan] == lengths
