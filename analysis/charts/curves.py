"""Draw one curve for each mode over a setting that varies, with intervals and theory."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator, PercentFormatter

from analysis.charts.canvas import INK, VOID_GREY
from analysis.charts.measure import Measure
from analysis.modes import MODES, title
from analysis.wording import VARIABLES, plain

LABEL_GAP = 0.085  # of the axes' height: names closer than this are moved apart
LOG_FROM = 8  # largest over smallest from which an axis is logarithmic
FEW_TICKS_FROM = 300  # likewise, from which on it has a tick for each power of ten alone
MOST_NAMED = 4  # void points that are named; of more, the note says what a hollow one is


def draw_curves(axes: Axes, rows: pl.DataFrame, measure: Measure, name: str) -> None:
    """Draw the measure of each mode over the setting `name`."""
    ends: dict[str, float] = {}
    few = rows["void"].sum() <= MOST_NAMED
    for mode in MODES:
        of_mode = rows.filter(pl.col("mode") == mode)
        if of_mode.height:
            _curve(axes, of_mode, measure, name, name_void=few)
            ends[mode] = of_mode[measure.column][-1]
    _scale(axes, rows, measure, name)
    name_ends(axes, ends)


def _curve(axes: Axes, rows: pl.DataFrame, measure: Measure, name: str, *, name_void: bool) -> None:
    colour = MODES[rows["mode"][0]].colour
    x = rows[name].to_numpy()
    if len(x) == 1 and name in MODES[rows["mode"][0]].ignores:  # and so was measured once
        axes.axhline(rows[measure.column][0], color=colour, lw=2, ls=(0, (1, 2)), zorder=2)
    axes.plot(x, rows[measure.column], color=colour, zorder=3)
    if measure.theory:
        axes.plot(x, rows[measure.theory], color=INK, lw=1.6, ls=(0, (4, 3)), zorder=4)
    low, high = rows[f"{measure.column}_low"], rows[f"{measure.column}_high"]
    axes.vlines(x, low.fill_null(rows[measure.column]), high.fill_null(rows[measure.column]),
                color=INK, lw=2, zorder=4)  # fmt: skip
    for row in rows.iter_rows(named=True):
        face, edge = (VOID_GREY, INK) if row["void"] else (colour, "white")
        where = (row[name], row[measure.column])
        axes.plot(*where, "o", ms=12, mfc=face, mec=edge, mew=1.5, zorder=5)
        if row["void"] and name_void:
            look = {"bbox": {"fc": "white", "ec": "none", "pad": 1, "alpha": 0.8}, "zorder": 6}
            axes.annotate("VOID", where, (0, 12), textcoords="offset points", ha="center", size=13,
                          **look)  # type: ignore[arg-type]  # fmt: skip


def _scale(axes: Axes, rows: pl.DataFrame, measure: Measure, name: str) -> None:
    x, y = rows[name].unique().sort(), rows[measure.column]
    if x[0] > 0 and x[-1] / x[0] >= LOG_FROM:
        axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(x.to_list()))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: plain(value)))
    axes.set_xlabel(VARIABLES[name], labelpad=10)
    if measure.share:
        axes.set_ylim(-0.03, 1.03)
        axes.yaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))
    elif axes.get_xscale() == "log" and y.min() > 0 and y.max() / y.min() >= LOG_FROM:  # type: ignore[operator]
        axes.set_yscale("log")
        finer = (1.0, 2.0, 5.0) if y.max() / y.min() < FEW_TICKS_FROM else (1.0,)  # type: ignore[operator]
        axes.yaxis.set_major_locator(LogLocator(10, finer, numticks=12))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: measure.tick(value)))
    else:
        axes.set_ylim(bottom=0)
        if measure.time:
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{plain(value)} ms"))
    left, bottom, width, height = axes.get_position().bounds
    axes.set_position((left, bottom, width - 0.14, height))


def name_ends(axes: Axes, ends: dict[str, float], aside: float = 0.02) -> None:
    """Write each mode's name where its curve ends, moved apart where names would touch.

    aside: how far from the axes, of their width
    """
    to_axes = axes.transScale + axes.transLimits
    heights = {mode: to_axes.transform((axes.get_xlim()[1], y))[1] for mode, y in ends.items()}
    free = -1.0
    for mode in sorted(
        (mode for mode in reversed(MODES) if mode in heights), key=heights.__getitem__
    ):
        free = max(heights[mode], free + LABEL_GAP)
        place = {"transform": axes.transAxes, "clip_on": False}
        axes.plot(1 + aside, free, "s", ms=12, color=MODES[mode].colour, **place)  # type: ignore[arg-type]
        axes.text(1 + 1.85 * aside, free, title(mode), size=17, va="center", **place)  # type: ignore[arg-type]
