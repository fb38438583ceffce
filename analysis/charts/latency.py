"""Draw which share of the messages arrives within which time."""

from typing import Any

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator, PercentFormatter

from analysis import headlines
from analysis.charts.canvas import INK, QUIET, slide, style
from analysis.expected import cases
from analysis.modes import MODES, title
from analysis.rows import differing, representative, rows
from analysis.runs import FORESEEN, KEYS, figures_of_runs, latencies_ms
from analysis.theory import MODES as THEORY
from analysis.unit_costs import unit_costs
from analysis.wording import duration, setting, trials
from clients.log import Log

POINTS = 400  # of a curve: more would not show, and would fill the file
FAR = 10  # times slower than the next
MARKS = {"p50": 0.5, "p99": 0.99}


def draw_latency(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the cumulative distribution of latency; of a sweep, that of its middle setting."""
    shown = representative(rows(log, summary)).drop_nulls("latency_p50_ms")
    if shown.is_empty():
        return None
    row = shown.row(0, named=True)
    which = "One of the settings: " if differing(summary) else ""
    theory = "Dashed: theory. " * shown.select(FORESEEN.any()).item()
    note = f"{theory}Dots: p50 and p99; {trials(shown)}. The time axis is logarithmic."
    with style():
        figure, axes = slide(
            headlines.latency(shown),
            f"{which}{setting(row)}",
            note,
            left=0.09,
            axis="share of messages delivered within",
        )
        _axes(axes, shown)
        _theory(axes, log, shown)
        _curves(axes, log, shown)
    return figure


def _axes(axes: Axes, shown: pl.DataFrame) -> None:
    low, high = float(shown["latency_p50_ms"].min()), float(shown["latency_max_ms"].max())  # type: ignore[arg-type]
    axes.set_xscale("log")
    axes.set_xlim(low / 5, max(high * 2, low * 60))
    axes.xaxis.set_major_locator(LogLocator(10, (1.0, 2.0, 5.0)))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: duration(value, 1)))
    axes.set_xlabel("latency: from publish to reader", labelpad=10)
    axes.set_ylim(0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1, 0, symbol=" %"))


def _curves(axes: Axes, log: Log, shown: pl.DataFrame) -> None:
    runs = figures_of_runs(log).filter("averaged").rows_by_key(KEYS, named=True)
    of_runs = latencies_ms(log)
    shares = 1 - np.geomspace(1, 1e-4, POINTS)  # most points where the tail is
    shares = np.union1d(np.linspace(0, 1, POINTS // 2), shares)
    sides = _sides(shown)
    for row in shown.iter_rows(named=True):
        numbers = [run["run"] for run in runs[row["setting"], row["mode"]]]
        latencies = np.concatenate([of_runs[number] for number in numbers if number in of_runs])
        look: dict[str, Any] = {"color": MODES[row["mode"]].colour, "zorder": 3}
        if row["void"]:
            look |= {"color": QUIET, "ls": ":"}
        axes.plot(np.quantile(latencies, shares), shares, **look)
        _mark(axes, row, sides[row["mode"]])


def _mark(axes: Axes, row: dict[str, Any], side: str) -> None:
    """Mark p50 and p99 on the curve, and name it; labels end or begin at the curve."""
    colour = QUIET if row["void"] else MODES[row["mode"]].colour
    aside = -13 if side == "right" else 13
    for name, share in MARKS.items():
        at = row[f"latency_{name}_ms"]
        low, high = (row[f"latency_{name}_ms_{end}"] or at for end in ("low", "high"))
        axes.plot([low, high], [share] * 2, color=INK, lw=2.5, zorder=4)
        axes.plot(at, share, "o", ms=12, color=colour, mec="white", mew=1.5, zorder=5)
        beside = min(low, at) if side == "right" else max(high, at), share
        _write(axes, f"{name} {duration(at)}", beside, (aside, -13 if share > 0.9 else 0))
        if name == "p50":
            text = title(row["mode"]) + (" (VOID)" if row["void"] else "")
            _write(axes, text, beside, (aside, 24), "bold")


def _write(
    axes: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[int, int],
    weight: str = "normal",
) -> None:
    """Write beside a point, before it or behind it as the offset points."""
    side = "right" if offset[0] < 0 else "left"
    axes.annotate(text, at, offset, textcoords="offset points", ha=side, va="center", size=18,
                  weight=weight, zorder=6)  # fmt: skip


def _sides(shown: pl.DataFrame) -> dict[str, str]:
    """Align labels: those of the fastest mode end at its curve, the next one's begin at it.

    A slowest mode that is far from the others has room before its curve, too.
    """
    ordered = shown.sort("latency_p50_ms")
    p50, modes = ordered["latency_p50_ms"], ordered["mode"]
    sides = dict.fromkeys(modes, "left") | {modes[0]: "right"}
    if p50[-1] > FAR * p50[max(0, len(modes) - 2)]:
        sides[modes[-1]] = "right"
    return sides


def _theory(axes: Axes, log: Log, shown: pl.DataFrame) -> None:
    runs = figures_of_runs(log).join(shown, on=KEYS, how="semi", maintain_order="left")
    runs = runs.filter(FORESEEN)
    low, high = axes.get_xlim()
    latencies_ms = np.geomspace(low, high, 4 * POINTS)
    for mode, case in cases(runs, unit_costs(log)):
        share = THEORY[mode].latency_cdf(case, latencies_ms / 1e3)
        moves = (np.diff(share, prepend=0) > 0) | (np.diff(share, append=share[-1]) > 0)
        axes.plot(latencies_ms[moves], share[moves], color=INK, lw=1.6, ls=(0, (4, 3)), zorder=4)
