"""The colours of the pages: legible on paper and on what is raised from it, in light and in dark.

Source of the formulas and of the limits: WCAG 2.2, success criteria 1.4.3 and 1.4.11.
"""

import re
from pathlib import Path

import pytest

import demo
from analysis.modes import MODES as CHARTED

PAGE = Path(demo.__file__).parent / "page"
CSS = (PAGE / "theme.css").read_text()
MODES = tuple(CHARTED)
THEMES = ("light", "dark")
TEXT, PARTS = 4.5, 3.0


def colour(name: str, theme: str) -> str:
    """Return a colour of the theme as #rgb or #rrggbb."""
    (value,) = re.findall(rf"--{name}: (.+?);", CSS)
    both = re.fullmatch(r"light-dark\((\S+), (\S+)\)", value)
    found = str(value if both is None else both[1 + THEMES.index(theme)])
    other = re.fullmatch(r"var\(--(.+)\)", found)
    return found if other is None else colour(other[1], theme)


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "raised"])
@pytest.mark.parametrize(
    ("name", "least"), [("ink", TEXT), ("faint", TEXT), ("focus", PARTS), ("edge", PARTS)]
)
def test_what_is_written_or_framed_stands_out(
    theme: str, ground: str, name: str, least: float
) -> None:
    assert contrast(colour(name, theme), colour(ground, theme)) >= least


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("ground", ["paper", "raised"])
@pytest.mark.parametrize("mode", MODES)
def test_what_is_drawn_in_a_modes_colour_has_an_edge_that_stands_out(
    theme: str, ground: str, mode: str
) -> None:
    assert contrast(colour(f"{mode}-edge", theme), colour(ground, theme)) >= PARTS


@pytest.mark.parametrize("file", sorted(PAGE.rglob("*.css")), ids=lambda file: file.name)
def test_no_line_is_drawn_in_a_modes_colour_without_its_edge(file: Path) -> None:
    assert not re.search(r"stroke: var\(--mode\)", file.read_text())


@pytest.mark.parametrize("mode", MODES)
def test_a_modes_colour_is_the_same_everywhere(mode: str) -> None:
    assert {colour(mode, theme) for theme in THEMES} == {CHARTED[mode].colour.lower()}


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("mode", MODES)
def test_words_on_a_modes_colour_stand_out(theme: str, mode: str) -> None:
    assert contrast(colour(f"on-{mode}", theme), colour(mode, theme)) >= TEXT
