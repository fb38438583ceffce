"""Draw what an interval buys: mean latency against requests, for settings that vary in interval."""

from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from analysis import headlines
from analysis.charts.canvas import INK, VOID_GREY, slide, style
from analysis.modes import MODES, title
from analysis.rows import along, representative, rows
from analysis.wording import duration, figure, plain, setting, trials
from clients.log import Log

X, Y = "requests_per_client_s", "latency_mean_ms"


def draw_tradeoff(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the exchange of latency for requests; None unless the interval varies."""
    line = along(rows(log, summary), "interval_s").drop_nulls([X, Y])
    if line["interval_s"].n_unique() < 2:
        return None
    row = representative(line).row(0, named=True)
    subtitle = f"{setting(row, without='interval_s')}; {trials(line)}"
    foreseen = line.filter(pl.col("mode") == "short")["theory_latency_mean_ms"].count() > 1
    note = (
        f"{'Dashed: theory. ' if foreseen else ''}Lines: intervals. Both axes are logarithmic:"
        " further left and further down is better."
    )
    with style():
        figure_, axes = slide(
            headlines.tradeoff(line), subtitle, note, left=0.1, axis="mean latency"
        )
        _short(axes, line.filter(pl.col("mode") == "short"))
        for mode in MODES:
            _others(axes, line.filter(pl.col("mode") == mode)) if mode != "short" else None
        _scales(axes)
    return figure_


def _short(axes: Axes, points: pl.DataFrame) -> None:
    colour = MODES["short"].colour
    theory = ("theory_requests_per_client_s", "theory_latency_mean_ms")
    axes.plot(points[X], points[Y], color=colour, zorder=3)
    axes.plot(*(points[name] for name in theory), color=INK, lw=1.6, ls=(0, (4, 3)), zorder=4)
    for row in points.iter_rows(named=True):
        _dot(axes, row, 13)
        void = " VOID" if row["void"] else ""
        axes.annotate(f"every {plain(row['interval_s'])} s{void}", (row[X], row[Y]), (12, 10),
                      textcoords="offset points", size=16)  # fmt: skip
    if points.height:
        named = points.filter(~pl.col("void"))
        last = (named if named.height else points).row(-1, named=True)
        axes.annotate("Short polling", (last[X], last[Y]), (12, 34), textcoords="offset points",
                      size=19, weight="bold")  # fmt: skip


def _others(axes: Axes, points: pl.DataFrame) -> None:
    """Draw a mode that knows no interval: its settings are repetitions, its name stands once.

    The name stands by the good ones, and says VOID where there is none; else each void one does.
    """
    if points.is_empty():
        return
    good, void = points.filter(~pl.col("void")), points.filter("void")
    for row in points.iter_rows(named=True):
        _dot(axes, row, 15)
    for row in void.iter_rows(named=True) if good.height else ():
        axes.annotate("VOID", (row[X], row[Y]), (0, -26), textcoords="offset points", ha="center",
                      size=13)  # fmt: skip
    named = good if good.height else void
    name = title(points["mode"][0]) + " VOID" * good.is_empty()
    x, y = named[X].median(), named[Y].median()
    axes.annotate(name, (x, y), (0, 20), textcoords="offset points", ha="center",
                  size=19, weight="bold")  # fmt: skip


def _dot(axes: Axes, row: dict[str, Any], size: int) -> None:
    """Draw a setting in its mode's colour, a void one in none, and its intervals both ways."""
    face, edge = (VOID_GREY, INK) if row["void"] else (MODES[row["mode"]].colour, "white")
    for name, draw, at in ((X, axes.hlines, row[Y]), (Y, axes.vlines, row[X])):
        if row[f"{name}_low"] is not None:
            draw(at, row[f"{name}_low"], row[f"{name}_high"], color=INK, lw=2, zorder=6)
    axes.plot(row[X], row[Y], "o", ms=size, mfc=face, mec=edge, mew=1.5, zorder=5)


def _scales(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.margins(0.2, 0.16)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_locator(LogLocator(10))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: figure(value, 1)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value, 1)))
    axes.set_xlabel("requests per client and second", labelpad=10)
