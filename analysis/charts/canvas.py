"""A slide to draw on: title, what was set, axes, footnote; and the mark of a void row."""

import textwrap
from contextlib import AbstractContextManager
from pathlib import Path

from matplotlib import rc_context, rc_params_from_file
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, QUIET, FAINT = "#1a1a1a", "#5c5c5c", "#bdbdbd"
VOID_GREY, VOID_HATCH = "#e2e2e2", "///"
STYLE = rc_params_from_file(
    Path(__file__).parent.parent / "style.mplstyle", use_default_template=False
)
TITLE_COLUMNS, SUBTITLE_COLUMNS = 55, 104
LEFT, RIGHT, TOP, BOTTOM = 0.05, 0.965, 0.76, 0.17


def style() -> AbstractContextManager[None]:
    """Apply the look; draw and save inside it."""
    return rc_context(STYLE)


def slide(
    title: str, subtitle: str, note: str = "", left: float = LEFT, axis: str = ""
) -> tuple[Figure, Axes]:
    """Return a figure with its texts, and axes in the room that they leave.

    axis: what the vertical axis shows, written level above it
    """
    figure = Figure()
    lines = textwrap.fill(title, TITLE_COLUMNS)
    figure.text(LEFT - 0.015, 0.955, lines, size=25, weight="bold", va="top", linespacing=1.15)
    under = 0.955 - 0.062 * (1 + lines.count("\n"))
    size = 15 * min(1, SUBTITLE_COLUMNS / max(1, len(subtitle)))
    figure.text(LEFT - 0.015, under, subtitle, size=size, va="top", color=QUIET)
    figure.text(LEFT - 0.015, 0.028, note, size=13.5, va="bottom", color=QUIET)
    height = under - BOTTOM - (0.125 if axis else 0.075)
    axes = figure.add_axes((left, BOTTOM, RIGHT - left, height))
    axes.set_title(axis, loc="left", size=16, pad=12)
    return figure, axes
