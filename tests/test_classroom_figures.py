"""Figures as the pages write them."""

import pytest
from playwright.async_api import Browser

from tests.classroom_pages import modules

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_figure_has_three_digits_at_most_or_is_whole(browser: Browser) -> None:
    async with modules(browser) as page:
        said = await page.evaluate(
            """async () => {
              const { bytes, milliseconds, number } = await import("/page/class/figures.js");
              return [
                ...[59.7, 1 / 3, 99.96, 1234.5].map(number),
                ...[5.523, 1234].map(milliseconds), ...[163.4, 1_234_567].map(bytes),
              ];
            }"""
        )
    numbers, times, sizes = ["59.7", "0.333", "100", "1,235"], ["5.52 ms", "1.23 s"], ["163 B"]
    assert said == [*numbers, *times, *sizes, "1.23 MB"]
