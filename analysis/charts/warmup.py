"""Draw latency over a run, from warm-up to the window's end: it should stand still."""

import math

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from analysis.charts.canvas import INK, QUIET, slide, style
from analysis.charts.curves import name_ends
from analysis.modes import MODES, title
from analysis.rows import representative, rows, varied
from analysis.runs import UNDISTURBED
from analysis.steadiness import in_buckets, moves_of, samples_of
from analysis.wording import duration, percent, plain, setting, signed_percent
from clients.log import Log

BUCKETS = 24  # about so many over a run
STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
AXIS = "latency, by when the message was published"
MINUS = "\u2212"
HEAD_ROOM = 2.2  # how much higher than the highest band the axis is, so that words fit above
STEADY = 1.25  # a median that moves by less is not worth a title of its own


def draw_warmup(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw median and spread of latency over time; None without warm-up, or when it stalls."""
    shown = representative(rows(log, summary)).drop_nulls("latency_p50_ms")
    samples = samples_of(log, shown).filter(UNDISTURBED)
    if samples.filter(pl.col("at_s") < 0).is_empty():
        return None
    row = samples.row(0, named=True)
    ends = (-row["warmup_s"], row["duration_s"])
    moves = moves_of(samples, shown, row["duration_s"])
    which = "One of the settings: " if varied(summary) else ""
    note = (
        f"{which}{setting(shown.row(0, named=True))}.\n"
        f"Line: median; band: the middle 80 % of deliveries, of all runs, every"
        f" {plain(_step_s(ends))} s."
    )
    with style():
        figure, axes = slide(_title(moves), _said(moves, shown), note, left=0.1, axis=AXIS)
        _room(axes, ends)
        buckets = in_buckets(samples, _step_s(ends))
        names = {
            row["mode"]: _curve(axes, buckets.filter(pl.col("mode") == row["mode"]), row["void"])
            for row in shown.iter_rows(named=True)
        }
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * HEAD_ROOM)
        name_ends(axes, names)
    return figure


def _step_s(ends: tuple[float, float]) -> float:
    """Return how long a bucket is; buckets begin at the window's start, in both directions."""
    wanted = (ends[1] - ends[0]) / BUCKETS
    return next((step for step in STEPS_S if step >= wanted), math.ceil(wanted))


def _title(moves: pl.DataFrame) -> str:
    """Name a mode that surely moves by much; else say how far the furthest moves."""
    if moves.is_empty():
        return "No good run tells whether the warm-up was long enough"
    size = pl.col("move").log().abs()
    most = moves.sort(size, descending=True)
    furthest = percent(abs(most["move"][0] - 1))
    sure = most.filter("sure", size > math.log(STEADY))
    if sure.height:
        mode, move = sure.row(0)[:2]
        return (
            f"{title(mode)} does not stand still: its median is {percent(abs(move - 1))}"
            f" {'higher' if move > 1 else 'lower'} in the window's second half"
        )
    chance = " than chance explains" if most.select(size).item(0, 0) > math.log(STEADY) else ""
    return (
        "From one half of the window to the other, no median moves by more"
        f"{chance or f' than {furthest}'}"
    )


def _said(moves: pl.DataFrame, shown: pl.DataFrame) -> str:
    """Give each mode's move: `Median of ...: short polling +3 %, ...`."""
    parts = [
        f"{MODES[mode].name} {signed_percent((move - 1) * 100)}"
        for mode, move, _ in moves.iter_rows()
    ]
    parts += [f"{MODES[mode].name} VOID" for mode in shown.filter("void")["mode"]]
    return f"Median of the window's second half against its first: {', '.join(parts)}"


def _curve(axes: Axes, buckets: pl.DataFrame, void: bool) -> float:
    """Draw a mode, and return where its curve ends."""
    colour = QUIET if void else MODES[buckets["mode"][0]].colour
    x = buckets["middle_s"]
    axes.fill_between(x, buckets["low"], buckets["high"], color=colour, alpha=0.18, lw=0, zorder=2)
    axes.plot(x, buckets["latency_ms"], "o-", ms=7, lw=2.5, color=colour, zorder=3)
    return float(buckets["latency_ms"][-1])


def _room(axes: Axes, ends: tuple[float, float]) -> None:
    """Shade the window, and scale both axes."""
    left, bottom, width, height = axes.get_position().bounds
    axes.set_position((left, bottom, width - 0.14, height))
    axes.set_xlim(ends)
    axes.axvspan(0, ends[1], color="#f1f1f1", zorder=0)
    place = {"transform": axes.get_xaxis_transform(), "size": 15, "va": "top", "color": INK}
    axes.text(ends[0] / 2, 0.98, "warm-up", ha="center", **place)  # type: ignore[arg-type]
    axes.text(ends[1] / 2, 0.98, "window: what is measured", ha="center", **place)  # type: ignore[arg-type]
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0), numticks=12))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value, 1)))
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda second, _: f"{plain(second)} s".replace("-", MINUS))
    )
