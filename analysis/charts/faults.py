"""Draw what each kind of fault cost: what readers without a cursor lost, how soon all were back."""

from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from analysis.charts.canvas import FAINT, INK, slide, style
from analysis.charts.panels import panels
from analysis.faults import KINDS, costs
from analysis.faults_words import lost_with_cursor, often
from analysis.modes import MODES, title
from analysis.rows import differing, representative
from analysis.rows import rows as all_rows
from analysis.wording import apart, duration, figure, plain
from clients.log import Log

APART = 0.26  # of a kind's room, from one mode to the next
NOTE = (
    "Filled: with a cursor; open: without. Right: median, and a line to the longest.\n"
    "Recovery: from a fault's end to the first message that was published after it."
)
LEAST_MS = 0.1


def draw_faults(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw both, kinds of faults from above; None where no fault was injected.

    Of several settings one is drawn, since faults of one are not like those of another.
    """
    rows = costs(log).filter(pl.col("kind").is_in(list(KINDS)))
    if rows.is_empty():
        return None
    setting, where = _shown(log, summary, rows)
    rows = rows.filter(setting=setting)
    kinds = rows["kind"].unique(maintain_order=True).to_list()
    with style():
        figure_, axes = slide(
            _title(rows, lost_with_cursor(log, setting)), where + _about(rows), NOTE, left=0.19
        )
        left, right = panels(figure_, axes, 2, 0.05)
        for row in rows.iter_rows(named=True):
            place = _place(kinds, row)
            if row["naive"]:
                _lost(left, place, row)
            _back(right, place, row)
        _finish(left, kinds, "messages that a fault cost a reader without a cursor")
        _finish(right, kinds, "until the reader was current again")
        left.set_yticks(range(len(kinds)), [_name(rows, kind) for kind in kinds], size=15)
        left.set_xlim(0, max(1.0, left.dataLim.x1) * 1.3)
        right.set_xscale("log")
        right.xaxis.set_major_locator(LogLocator(10))
        right.xaxis.set_minor_locator(NullLocator())
        right.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value, 1)))
        _modes(left, rows, kinds)
    return figure_


def _shown(log: Log, summary: pl.DataFrame, injected: pl.DataFrame) -> tuple[int, str]:
    """Return the setting to draw, and in words which one it is of several."""
    every = all_rows(log, summary)
    with_faults = every.filter(pl.col("setting").is_in(injected["setting"].unique().to_list()))
    row = representative(with_faults).row(0, named=True)
    which = apart(row, differing(every))
    return row["setting"], f"One of the settings, {which}: " if which else ""


def _title(rows: pl.DataFrame, lost_with_cursor: int) -> str:
    lost = int(rows.filter("naive")["lost"].sum())
    return (
        f"Without a cursor, readers lost {plain(lost)} messages to faults;"
        f" with one, {plain(lost_with_cursor) if lost_with_cursor else 'none'}"
    )


def _about(rows: pl.DataFrame) -> str:
    times = int(rows.group_by("kind").agg(pl.col("times").first())["times"].sum())
    return f"{plain(times)} faults, the same for all readers; {plain(rows['readers'][0])} of a kind"


def _name(rows: pl.DataFrame, kind: str) -> str:
    row = rows.filter(kind=kind).row(0, named=True)
    lasts = f"\n{duration(row['lasts_ms'])}" if row["lasts_ms"] >= 50 else "\nat once"
    return f"{KINDS[kind]}{lasts}, {often(row['times'])}"


def _place(kinds: list[str], row: dict[str, Any]) -> float:
    return kinds.index(row["kind"]) + APART * (list(MODES).index(row["mode"]) - 1)


def _lost(axes: Axes, place: float, row: dict[str, Any]) -> None:
    """Draw how much a reader without a cursor lost to a fault, on average."""
    each = row["lost"] / row["times"] / row["readers"]
    colour = MODES[row["mode"]].colour
    axes.barh(place, each, APART * 0.8, fill=False, edgecolor=colour, lw=2.5)
    axes.annotate(figure(each, 2), (each, place), (6, 0), textcoords="offset points",
                  va="center", size=12, color=INK)  # fmt: skip


def _back(axes: Axes, place: float, row: dict[str, Any]) -> None:
    """Draw how soon readers were current again: the median, and a line to the longest."""
    if row["recovery_p50_ms"] is None:
        return
    colour = MODES[row["mode"]].colour
    height = place - APART / 6 + row["naive"] * APART / 3
    ends = [max(LEAST_MS, row[name]) for name in ("recovery_p50_ms", "recovery_max_ms")]
    axes.plot(ends, [height] * 2, color=colour, lw=1.2, alpha=0.6, zorder=2)
    face = "white" if row["naive"] else colour
    axes.plot(ends[0], height, "o", ms=8, mec=colour, mfc=face, mew=2, zorder=3)


def _finish(axes: Axes, kinds: list[str], what: str) -> None:
    axes.set_ylim(len(kinds) - 0.5, -0.5)
    axes.set_yticks([])
    axes.set_xlabel(what, labelpad=6, size=15)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    for place in range(1, len(kinds)):
        axes.axhline(place - 0.5, color=FAINT, lw=0.8, zorder=0)


def _modes(axes: Axes, rows: pl.DataFrame, kinds: list[str]) -> None:
    """Name the modes once, at the first kind of fault, where their bars end."""
    first = rows.filter(kind=kinds[0], naive=True)
    for row in first.iter_rows(named=True):
        axes.annotate(title(row["mode"]), (0.99, _place(kinds, row)), size=14, ha="right",
                      xycoords=("axes fraction", "data"), va="center", weight="bold",
                      color=MODES[row["mode"]].colour)  # fmt: skip
