"""Draw a few seconds of one client in each mode: who asks when, and when each message arrives.

The picture that explains the others: time runs to the right, a vertical line is a publish, an
arc is a request from start to end, a numbered dot is a message that has arrived.
"""

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analysis import headlines
from analysis.charts.canvas import QUIET, slide, style
from analysis.charts.key import draw_key
from analysis.charts.shapes import arc, arrival, publish
from analysis.modes import MODES, title
from analysis.rows import representative, rows
from analysis.scene import Lane, Scene, choose, shared
from analysis.wording import duration, plain, setting
from clients.log import Log

LOWEST, HIGHEST = 0.35, 1.0  # where a lane of height 1 has room for dots
LEAST_ROWS, MOST_ROWS = 3, 7
LANE_POINTS, WIDE_POINTS = 104, 622  # size of a lane in points
GROUND = 0.07


def draw_timeline(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the same typical seconds in a lane for each mode; None when nothing was delivered."""
    shown = representative(rows(log, summary))
    scene = choose(log, shown)
    if scene is None:
        return None
    row = shown.row(0, named=True)
    text = f"The same {plain(round(scene.span_s, 2))} seconds in each mode. {setting(row)}"
    with style():
        figure, axes = slide(headlines.timeline(scene, shown), text, left=0.29)
        _room(axes, scene)
        for place, lane in enumerate(scene.lanes):
            void = shown.filter(pl.col("mode") == lane.mode)["void"].any()
            _lane(axes, lane, len(scene.lanes) - 1 - place, scene, void=void)
        draw_key(figure)
    return figure


def _room(axes: Axes, scene: Scene) -> None:
    top = len(scene.lanes)
    axes.set_xlim(0, scene.span_s)
    axes.set_ylim(-0.05, top + 0.12)
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda second, _: f"{plain(second)} s"))
    together = shared(scene)
    for place, lane in enumerate(scene.lanes[:1] if together else scene.lanes):
        low, high = (-0.05, top + 0.12) if together else (top - 1 - place, top - place - 0.06)
        for each in lane.arrivals:
            publish(axes, each.published_s, low, high)
    for border in range(1, top):
        axes.axhline(border, color="#d8d8d8", lw=1.2, xmin=-0.385, clip_on=False)


def _lane(axes: Axes, lane: Lane, base: float, scene: Scene, *, void: bool) -> None:
    colour = QUIET if void else MODES[lane.mode].colour
    ground = base + GROUND
    session = MODES[lane.mode].session
    axes.plot([0, scene.span_s], [ground] * 2, color=colour, lw=9 if session else 1.5, zorder=2,
              solid_capstyle="butt")  # fmt: skip
    for poll in () if session else lane.polls:
        arc(axes, (poll.start_s, poll.end_s), ground, colour, news=poll.news)
    count = _rows(scene)
    pitch = (HIGHEST - LOWEST) / count
    for each, place in zip(lane.arrivals, _places(lane, scene.span_s, count), strict=True):
        height = base + LOWEST + pitch * (place + 0.5)
        axes.plot([each.received_s] * 2, [ground, height], color=colour, lw=2, zorder=3)
        arrival(axes, each, height, colour, pitch * LANE_POINTS)
    _name(axes, lane, base, void=void)


def _rows(scene: Scene) -> int:
    """Return the fewest rows in which no dot covers another, within what a lane can hold."""
    for count in range(LEAST_ROWS, MOST_ROWS):
        if all(max(_places(lane, scene.span_s, count), default=0) < count for lane in scene.lanes):
            return count
    return MOST_ROWS


def _places(lane: Lane, span_s: float, rows: int) -> list[int]:
    """Return each arrival's row, the lowest that is free from its publish to its dot's end."""
    dot_s = (HIGHEST - LOWEST) / rows * LANE_POINTS / WIDE_POINTS * span_s
    ends: list[float] = []
    places = []
    for each in lane.arrivals:
        start = min(each.published_s, each.received_s - dot_s / 2)
        free = [place for place, end in enumerate(ends) if end <= start]
        place = free[0] if free else len(ends)
        ends[place : place + 1] = [each.received_s + dot_s / 2]
        places.append(place)
    return places


def _name(axes: Axes, lane: Lane, base: float, *, void: bool) -> None:
    """Write the mode's name beside its lane, what it asked, and how long its messages waited."""
    place = {"transform": axes.get_yaxis_transform(), "va": "center"}
    colour = QUIET if void else MODES[lane.mode].colour
    axes.plot(-0.375, base + 0.76, "s", ms=15, color=colour, clip_on=False,
              transform=axes.get_yaxis_transform())  # fmt: skip
    name = title(lane.mode) + (" VOID" if void else "")
    axes.text(-0.352, base + 0.76, name, size=21, weight="bold", **place)  # type: ignore[arg-type]
    for line, text in enumerate((_asked(lane), _waited(lane))):
        axes.text(-0.352, base + 0.49 - 0.22 * line, text, size=16, **place)  # type: ignore[arg-type]


def _asked(lane: Lane) -> str:
    if MODES[lane.mode].session:
        return "1 request, stays open"
    empty = sum(not poll.news for poll in lane.polls)
    return f"{len(lane.polls)} requests, {empty} empty"


def _waited(lane: Lane) -> str:
    if not lane.arrivals:
        return "no message"
    waits_s = [each.received_s - each.published_s for each in lane.arrivals]
    return f"messages wait {duration(float(np.mean(waits_s)) * 1e3)}"
