"""Draw one bar for each mode, with its value, its interval and what theory expects."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, PercentFormatter

from analysis.charts.canvas import INK, QUIET, VOID_GREY, VOID_HATCH
from analysis.charts.measure import Measure
from analysis.modes import MODES
from analysis.rows import labels
from analysis.wording import plain

Row = dict[str, object]

HEIGHT = 0.58
LEAST_SHARE = 0.1  # that an axis shows: a few empty responses are to look like few
ROOM = 1.25  # how much longer than the longest mark the axis is, so that values fit behind


def draw_bars(axes: Axes, rows: pl.DataFrame, measure: Measure) -> None:
    """Draw the measure of each row as a bar, in the modes' order from the top."""
    for place, row in enumerate(rows.iter_rows(named=True)):
        bar(axes, place, (0, row[measure.column]), row)
        end = max(row[measure.column], *marks(axes, place, row, measure))
        label(axes, (end, place), measure.write(row[measure.column]), row)
    axes.set_xlabel(measure.axis, labelpad=10)
    if measure.share:
        axes.xaxis.set_major_formatter(PercentFormatter(1, None, symbol=" %"))
    if measure.time:
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{plain(value)} ms"))
    finish(axes, rows)
    if measure.share:
        axes.set_xlim(0, max(axes.get_xlim()[1], LEAST_SHARE))


def bar(axes: Axes, place: int, ends: tuple[float, float], row: Row, **how: object) -> None:
    """Draw a bar in its mode's colour, or hatched in grey when the row is void."""
    look: dict[str, object] = {"color": MODES[str(row["mode"])].colour} | how
    if row["void"]:
        look |= {"color": VOID_GREY, "edgecolor": QUIET, "hatch": VOID_HATCH}
    axes.barh(place, ends[1] - ends[0], HEIGHT, left=ends[0], **look)  # type: ignore[arg-type]


def label(axes: Axes, end: tuple[float, int], text: str, row: Row, note: str = "") -> None:
    """Write a value behind its bar, a note below it, and what is void."""
    offset = {"xytext": (12, 0), "textcoords": "offset points", "va": "center"}
    weight = "normal" if row["void"] else "bold"
    text = f"VOID  ({text})" if row["void"] else text
    axes.annotate(text, end, size=21, weight=weight, color=INK, **offset)  # type: ignore[arg-type]
    if row["void_runs"] and not row["void"]:
        void = f"{row['void_runs']} of {row['runs']} runs void"
        note = f"{note}; {void}" if note else void
    if note:
        below = offset | {"xytext": (12, -22)}
        axes.annotate(note, end, size=13, color=QUIET, **below)  # type: ignore[arg-type]


def finish(axes: Axes, rows: pl.DataFrame) -> None:
    """Name the modes beside their bars and leave room for the values."""
    names = labels(rows)
    lines = 1 + max(name.count("\n") for name in names)
    axes.set_yticks(range(len(names)), names, size={1: 20, 2: 15}.get(lines, 13))
    axes.tick_params(axis="y", pad=12)
    axes.set_ylim(len(names) - 0.5, -0.5)
    ends = [0.0, *(patch.get_x() + patch.get_width() for patch in axes.patches)]  # type: ignore[attr-defined]
    axes.set_xlim(0, ROOM * max(*ends, *axes.dataLim.intervalx) or 1)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)


def marks(axes: Axes, place: int, row: Row, measure: Measure) -> list[float]:
    """Draw interval and theory; return how far they reach."""
    reach = [0.0]
    low, high = row[f"{measure.column}_low"], row[f"{measure.column}_high"]
    if isinstance(low, float) and isinstance(high, float):
        axes.plot([low, high], [place, place], color=INK, lw=2.5, marker="|", ms=16, mew=2.5,
                  clip_on=False)  # fmt: skip
        reach.append(high)
    expected = row[measure.theory] if measure.theory else None
    if isinstance(expected, float):
        _diamond(axes, (expected, place))
        reach.append(expected)
    return reach


def _diamond(axes: Axes, at: tuple[float, int]) -> None:
    """Mark what theory expects."""
    edge = {"markeredgecolor": INK, "markeredgewidth": 2, "markerfacecolor": "white"}
    axes.plot(*at, marker="D", ms=11, zorder=4, clip_on=False, **edge)  # type: ignore[arg-type]
