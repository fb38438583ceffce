"""What the pages' policy forbids is not done, and what they need it does not forbid."""

import pytest
from playwright.async_api import Browser

from tests.classroom_pages import LAPTOP, Watch, opened
from tests.conftest import Demo

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

# Each of the three is told of as a violation before it could have done anything.
BREAK_IN = """async () => {
  const told = new Set();
  const all = new Promise((done) => {
    document.addEventListener("securitypolicyviolation", (event) => {
      if (told.add(event.effectiveDirective).size === 3) done();
    });
  });
  const script = document.createElement("script");
  script.textContent = "document.title = 'broken into'";
  document.body.append(script);
  const markup = `<img src=x onerror="document.title = 'broken into'"><p style="color: red"></p>`;
  document.body.insertAdjacentHTML("beforeend", markup);
  await all;
  return [...told].sort();
}"""


@pytest.mark.parametrize("path", ["/", "/join", "/handout"])
async def test_markup_that_came_into_a_page_runs_and_styles_nothing(
    browser: Browser, demo: Demo, path: str
) -> None:
    async with opened(browser, LAPTOP) as page:
        watch = Watch(page)
        await page.goto(demo.url + path, wait_until="load")
        assert watch.complaints == []
        assert watch.hosts == {"127.0.0.1"}
        refused = ["script-src-attr", "script-src-elem", "style-src-attr"]
        assert await page.evaluate(BREAK_IN) == refused
        assert await page.title() != "broken into"
