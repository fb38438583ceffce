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
from analysis.runs import KEYS, mode_order, with_void
from analysis.wording import duration, percent, plain, setting, signed_percent
from clients.log import Log

BUCKETS = 24  # about so many over a run
STEPS_S = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
AXIS = "latency, by when the message was published"
MINUS = "\u2212"
SPREAD = (0.1, 0.9)
HEAD_ROOM = 2.2  # how much higher than the highest band the axis is, so that words fit above
STEADY = 1.25  # a median that moves by less is not worth a title of its own


def draw_warmup(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw median and spread of latency over time; None without warm-up, or when it stalls."""
    shown = representative(rows(log, summary)).drop_nulls("latency_p50_ms")
    samples = _samples(log, shown).filter(pl.col("stall_s") == 0)
    if samples.filter(pl.col("at_s") < 0).is_empty():
        return None
    row = samples.row(0, named=True)
    ends = (-row["warmup_s"], row["duration_s"])
    moves = _moves(samples, shown, row["duration_s"])
    which = "One of the settings: " if varied(summary) else ""
    note = (
        f"{which}{setting(shown.row(0, named=True))}.\n"
        f"Line: median; band: the middle 80 % of deliveries, of all runs, every"
        f" {plain(_step_s(ends))} s."
    )
    with style():
        figure, axes = slide(_title(moves), _said(moves), note, left=0.1, axis=AXIS)
        _room(axes, ends)
        buckets = _buckets(samples, _step_s(ends))
        names = {
            row["mode"]: _curve(axes, buckets.filter(pl.col("mode") == row["mode"]), row["void"])
            for row in shown.iter_rows(named=True)
        }
        low, high = axes.get_ylim()
        axes.set_ylim(low, high * HEAD_ROOM)
        name_ends(axes, names)
        void = [title(mode) for mode in shown.filter("void")["mode"]]
        if void:
            axes.text(0, 1.02, f"VOID: {', '.join(void)}", transform=axes.transAxes, size=15)
    return figure


def _samples(log: Log, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the deliveries with the time of their publish, in seconds from the window's start."""
    runs = with_void(log.runs).filter("averaged", pl.col("window_start_ns").is_not_null())
    runs = runs.join(shown, on=KEYS, how="semi")
    runs = runs.select("run", "mode", "stall_s", "warmup_s", "duration_s", "window_start_ns")
    at_s = (pl.col("published_ns") - pl.col("window_start_ns")) / 1e9
    latency_ms = (pl.col("received_ns") - pl.col("published_ns")) / 1e6
    samples = log.deliveries.join(runs, on="run").with_columns(at_s=at_s, latency_ms=latency_ms)
    return samples.filter(pl.col("at_s") < pl.col("duration_s")).sort("run")


def _step_s(ends: tuple[float, float]) -> float:
    """Return how long a bucket is; buckets begin at the window's start, in both directions."""
    wanted = (ends[1] - ends[0]) / BUCKETS
    return next((step for step in STEPS_S if step >= wanted), math.ceil(wanted))


def _buckets(samples: pl.DataFrame, step_s: float) -> pl.DataFrame:
    low, high = (pl.col("latency_ms").quantile(share, "linear") for share in SPREAD)
    bucket = ((pl.col("at_s") / step_s).floor() + 0.5) * step_s
    grouped = samples.group_by("mode", middle_s=bucket)
    return grouped.agg(pl.col("latency_ms").median(), low=low, high=high).sort("middle_s")


def _moves(samples: pl.DataFrame, shown: pl.DataFrame, duration_s: float) -> pl.DataFrame:
    """Return for each good mode how its latency moves from the window's first half to its second.

    move: the ratio of the medians; sure: whether the messages, of which each counts once, differ
        by more than three standard errors (Welch 1947), on a logarithmic scale
    """
    good = shown.filter(~pl.col("void"))["mode"].to_list()
    inside = samples.filter(pl.col("at_s") >= 0, pl.col("mode").is_in(good))
    inside = inside.with_columns(late=pl.col("at_s") >= duration_s / 2)
    messages = inside.group_by("mode", "late", "run", "message").agg(pl.col("latency_ms").median())
    log = pl.col("latency_ms").log()
    halves = messages.group_by("mode", "late").agg(mean=log.mean(), error=log.var() / pl.len())
    medians = inside.group_by("mode", "late").agg(pl.col("latency_ms").median())
    both = halves.join(medians, on=["mode", "late"])
    first, second = both.filter(~pl.col("late")), both.filter("late")
    apart = (pl.col("mean_right") - pl.col("mean")).abs()
    return (
        first.join(second, on="mode")
        .select(
            "mode",
            move=pl.col("latency_ms_right") / pl.col("latency_ms"),
            sure=apart > 3 * (pl.col("error") + pl.col("error_right")).sqrt(),
        )
        .sort(mode_order())
    )


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


def _said(moves: pl.DataFrame) -> str:
    """Give each mode's move: `Second half against first: short polling +3 %, ...`."""
    parts = [
        f"{MODES[mode].name} {signed_percent((move - 1) * 100)}"
        for mode, move, _ in moves.iter_rows()
    ]
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
