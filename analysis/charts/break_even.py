"""Draw maps of which mode is cheapest: by message rate and interval, by rate and distance."""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from analysis.break_even import (
    Measure,
    Point,
    StepCosts,
    cpu,
    link_bytes,
    requests,
    wire_bytes,
)
from analysis.break_even_words import RATES, about, distance_title, interval_title
from analysis.charts.canvas import QUIET, slide, style
from analysis.charts.panels import panels
from analysis.charts.regions import Grid, draw_border, draw_regions, leads, name_regions
from analysis.cheapest import Measured, cheapest
from analysis.modes import MODES, POLLS
from analysis.rows import representative, rows
from analysis.step_costs import step_costs
from analysis.theory import Floats
from analysis.wording import duration, plain
from clients.log import Log

TARGET_MS = 200.0  # a mean latency that a person does not wait for
COLUMNS, ROWS = 48, 40  # of a map's grid
PANELS: dict[str, tuple[str, Measure, tuple[str, ...]]] = {
    "cpu": ("server CPU", cpu, tuple(MODES)),
    "bytes": ("bytes", wire_bytes, tuple(MODES)),
    "requests": ("requests of the polls", requests, POLLS),
}
NOTE = (
    f"Hatched: later than {TARGET_MS:.0f} ms on average. Dashed: WebSocket's border if TCP/IP's"
    " headers count too.\nDots: the mode that was measured to be cheapest; a ring had no good run."
)


class Upward(msgspec.Struct, frozen=True):
    """What the vertical axis of a map is."""

    field: str
    name: str
    ends: tuple[float, float]
    same: str
    title: Callable[[StepCosts, Point], str]


INTERVAL = Upward("interval_s", "polling interval", (0.1, 10.0), "rtt_ms", interval_title)
DISTANCE = Upward("round_trip_s", "round trip", (0.001, 1.0), "interval_s", distance_title)


def draw_break_even(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the maps over the interval; None with too few settings to know what a step costs."""
    return draw_map(log, representative(rows(log, summary)).row(0, named=True), INTERVAL)


def draw_break_even_distance(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the maps over the round trip; None with too few settings to know what a step costs."""
    return draw_map(log, representative(rows(log, summary)).row(0, named=True), DISTANCE)


def draw_map(log: Log, row: dict[str, Any], upward: Upward) -> Figure | None:
    """Draw the maps through the setting of a row, with every setting measured on them."""
    costs = step_costs(log, row["payload_bytes"])
    if costs is None:
        return None
    measured = cheapest(log, row["payload_bytes"])
    here = _here(row, measured)
    shown = [
        each
        for each in measured
        if getattr(each, upward.same) == row[upward.same] and getattr(each, upward.field) > 0
    ]
    grid = _grid(here, upward, shown)
    with style():
        figure_, axes = slide(
            upward.title(costs, here), f"{_same(here, upward)}; {about(costs)}", NOTE, left=0.1
        )
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left, bottom + 0.035, width, height - 0.06))
        for each, name in zip(panels(figure_, axes, len(PANELS), 0.025), PANELS, strict=True):
            _panel(each, grid, costs, name, shown, upward)
            each.set_xlabel("messages per second" if name == "bytes" else "", labelpad=6)
        figure_.axes[0].set_ylabel(upward.name, labelpad=2)
        for other in figure_.axes[1:]:
            other.set_yticklabels([])
    return figure_


def _here(row: dict[str, Any], measured: list[Measured]) -> Point:
    """Return the representative setting, with the round trip that was measured there."""
    keys = ("rate_per_s", "interval_s", "rtt_ms")
    trips = [m.round_trip_s for m in measured if all(getattr(m, key) == row[key] for key in keys)]
    trip_s = next((trip for trip in trips if trip == trip), row["rtt_ms"] / 1e3)  # noqa: PLR0124
    return Point(row["rate_per_s"], row["interval_s"], trip_s, row["hold_s"])


def _same(here: Point, upward: Upward) -> str:
    """Say what is the same all over the map."""
    if upward is DISTANCE:
        return f"Interval {plain(here.interval_s)} s"
    return f"Round trip {duration(here.round_trip_s * 1e3)}"


def _grid(here: Point, upward: Upward, shown: list[Measured]) -> Grid:
    x = _axis(RATES, [each.rate_per_s for each in shown], COLUMNS)
    y = _axis(upward.ends, [getattr(each, upward.field) for each in shown], ROWS)
    points = [
        [
            msgspec.structs.replace(here, rate_per_s=rate, **{upward.field: up})
            for rate in x.tolist()
        ]
        for up in y.tolist()
    ]
    return Grid(x, y, points)


def _axis(ends: tuple[float, float], shown: list[float], count: int) -> Floats:
    """Return places evenly spaced on a logarithmic axis that holds what was measured."""
    known = [value for value in shown if value > 0]
    return np.geomspace(min(ends[0], *known, ends[1]), max(*ends, *known), count)


def _panel(
    axes: Axes, grid: Grid, costs: StepCosts, name: str, shown: list[Measured], upward: Upward
) -> None:
    text, measure, modes = PANELS[name]
    axes.set_title(text, loc="left", size=17, weight="bold", pad=8)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(visible=False)
    dots = [(each.rate_per_s, getattr(each, upward.field)) for each in shown]
    draw_regions(axes, grid, costs, measure, modes, TARGET_MS)
    name_regions(axes, grid, leads(grid, costs, measure, modes), dots)
    if name == "bytes":
        draw_border(axes, grid, costs, link_bytes, "ws")
    for each in shown:
        mode = each.cheapest[name]
        look = (
            {"color": MODES[mode].colour, "mec": "white"} if mode else {"mfc": "none", "mec": QUIET}
        )
        axes.plot(each.rate_per_s, getattr(each, upward.field), "o", ms=12, mew=2, zorder=5,
                  clip_on=False, **look)  # type: ignore[arg-type]  # fmt: skip
    axes.set_xlim(grid.x[0], grid.x[-1])
    axes.set_ylim(grid.y[0], grid.y[-1])
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(10))
        axis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: plain(rate)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda second, _: duration(second * 1e3, 1)))
