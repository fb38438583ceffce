"""Draw what a stall of the server does, and how a latency counted from publish hides it."""

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from analysis.charts.canvas import FAINT, INK, QUIET, slide, style
from analysis.charts.panels import panels
from analysis.modes import MODES, title
from analysis.rows import representative, rows
from analysis.stalled import KINDS, samples_of, tails_of
from analysis.wording import duration, plain, setting
from clients.log import Log

WAYS = ("intended time", "publish")
MEANT = "when the message was meant to go out, from the window's start"
NOTE = (
    "A dot is one message of one run, the median of its readers. Dashed: what is left of a stall."
)


def draw_stall(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw latency over the intended time, counted in both ways; None when nothing stalled."""
    stalled = log.runs.filter(pl.col("stall_s") > 0)
    shown = rows(log, summary).filter(pl.col("setting").is_in(stalled["setting"].to_list()))
    shown = representative(shown).drop_nulls("latency_p99_ms") if shown.height else shown
    if shown.is_empty():
        return None
    samples = samples_of(log, shown)
    run = samples.row(0, named=True)
    tails = tails_of(samples)
    row = shown.row(0, named=True)
    about = f"Grey: the server stands still for {plain(run['stall_s'])} s. "
    about += setting(row, without={"stall_s", "schedule", "hold_s"})
    with style():
        figure, axes = slide(_title(shown, tails, run["stall_s"]), about, NOTE, left=0.085)
        _room(axes)
        for place, each in enumerate(panels(figure, axes, shown.height, 0.03)):
            row = shown.row(place, named=True)
            _panel(each, samples.filter(pl.col("mode") == row["mode"]), row)
            _scale(each, samples, first=place == 0)
            _key(each, row, tails[row["mode"]])
            each.set_xlabel(MEANT if place == shown.height // 2 else "", labelpad=8)
    return figure


def _room(axes: Axes) -> None:
    left, bottom, width, height = axes.get_position().bounds
    axes.set_position((left, bottom, width, height - 0.13))


def _title(shown: pl.DataFrame, tails: dict[str, tuple[float, float]], stall_s: float) -> str:
    """Compare the two p99 of the good mode in which they differ most."""
    good = shown.filter(~pl.col("void"))["mode"].to_list()
    if not good:
        return f"A stall of {plain(stall_s)} s, in no good run"
    mode = max(good, key=lambda mode: tails[mode][0] / tails[mode][1])
    intended, published = (duration(p99) for p99 in tails[mode])
    return (
        f"From publish, {MODES[mode].name}'s p99 is {published};"
        f" from when the message was meant to go out, it is {intended}"
    )


def _panel(axes: Axes, samples: pl.DataFrame, row: dict[str, Any]) -> None:
    """Draw a mode: a dot for each message in each way of counting, and the stall as a band."""
    run = samples.row(0, named=True)
    start = (run["duration_s"] - run["stall_s"]) / 2  # the middle of the window
    end = start + run["stall_s"]
    axes.axvspan(start, end, color="#e9e9e9", zorder=0)
    left = np.linspace(start, end, 200, endpoint=False)
    axes.plot(left, (end - left) * 1e3, color=INK, lw=1.6, ls=(0, (4, 3)), zorder=5)
    messages = samples.filter(pl.col("run") == run["run"]).group_by("message")
    medians = messages.agg(pl.col("meant_s", *KINDS).median()).sort("meant_s")
    for kind, look in zip(KINDS, _looks(row), strict=True):
        axes.plot(medians["meant_s"], medians[kind], "o", ms=6, lw=0, zorder=3, **look)
    axes.set_xlim(0, run["duration_s"])


def _looks(row: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    colour = QUIET if row["void"] else MODES[row["mode"]].colour
    return {"color": colour}, {"mfc": "white", "mec": INK, "mew": 0.9}


def _key(axes: Axes, row: dict[str, Any], tails: tuple[float, float]) -> None:
    """Name the mode above its panel, and both ways of counting with their p99."""
    name = title(row["mode"]) + (" VOID" if row["void"] else "")
    above: dict[str, Any] = {"textcoords": "offset points", "va": "center"}
    axes.annotate(name, (0, 1), (0, 72), xycoords="axes fraction", size=20, weight="bold", **above)
    for height, way, p99, look in zip((45, 22), WAYS, tails, _looks(row), strict=True):
        text = f"p99 {duration(p99)} from {way}"
        axes.annotate(text, (0, 1), (16, height), xycoords="axes fraction", size=16, **above)
        across, up = axes.transAxes.inverted().transform(
            axes.transAxes.transform((0, 1)) + np.array([5, height]) * axes.figure.dpi / 72
        )
        axes.plot(across, up, "o", ms=9, transform=axes.transAxes, clip_on=False, **look)


def _scale(axes: Axes, samples: pl.DataFrame, *, first: bool) -> None:
    low, high = samples.select(low=pl.min_horizontal(pl.col(KINDS).min()),
                               high=pl.max_horizontal(pl.col(KINDS).max())).row(0)  # fmt: skip
    axes.set_yscale("log")
    axes.set_ylim(low / 1.5, high * 1.5)
    axes.yaxis.set_major_locator(LogLocator(10))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value, 1) * first))
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, prune="upper"))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda second, _: f"{plain(second)} s"))
    axes.spines["bottom"].set_color(FAINT)
