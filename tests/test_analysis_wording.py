"""Figures are written as people read them."""

import pytest

from analysis.wording import plain


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2, "2"),
        (0.25, "0.25"),
        (1 / 3, "0.333"),
        (1234.5, "1,234.5"),
        (100.4, "100.4"),
        (-0.5, "-0.5"),
        (1000, "1,000"),
        (999.999, "1,000"),
        (0.00005, "0.00005"),
        (float("inf"), "inf"),
    ],
)
def test_a_setting_is_written_as_it_was_given(value: float, text: str) -> None:
    assert plain(value) == text
