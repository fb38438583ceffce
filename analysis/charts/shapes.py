"""The signs of the timeline, drawn in a lane and in the key alike: arc, line, wait, arrival."""

from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from analysis.charts.canvas import FAINT, INK
from analysis.modes import MODES
from analysis.scene import Arrival

ARC_HEIGHT = 0.26
MOST_DOT, LEAST_NUMBERED = 22, 11  # points
LEAST_WIDTH = 0.011  # of the axes' width, so that a poll of a millisecond can be seen


def arc(axes: Axes, span: tuple[float, float], base: float, colour: str, *, news: bool) -> None:
    """Draw a request: up at its start, down at its end; filled when it brought a message."""
    start, end = span
    low, high = axes.get_xlim()
    least = LEAST_WIDTH * (high - low)
    if end - start < least:
        start, end = (start + end - least) / 2, (start + end + least) / 2
    shoulder = min((end - start) / 2, 3 * least)
    top = base + ARC_HEIGHT
    points = [
        (start, base),
        *((start, top), (start, top), (start + shoulder, top)),
        (end - shoulder, top),
        *((end, top), (end, top), (end, base)),
    ]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3]
    # A white edge parts one held poll from the next; a poll too short for that keeps its colour.
    edge = "white" if news and end - start > 4 * least else colour
    look = {"facecolor": colour if news else "white", "edgecolor": edge, "linewidth": 2.5}
    axes.add_patch(PathPatch(Path(points, codes), zorder=3, **look))


def publish(axes: Axes, at: float, low: float, high: float) -> None:
    """Draw the moment of a publish: a triangle, and a line through every lane."""
    axes.plot([at, at], [low, high], color=FAINT, lw=2, zorder=1)
    axes.plot(at, high, "v", ms=15, color=INK, zorder=4, clip_on=False)


def arrival(axes: Axes, each: Arrival, height: float, colour: str, size: float = MOST_DOT) -> None:
    """Draw a message's wait as a line, and its arrival as a dot, numbered when it is large."""
    size = min(size, MOST_DOT)
    wait = ([each.published_s, each.received_s], [height] * 2)
    axes.plot(*wait, color=colour, lw=size / 3.6, alpha=0.55, zorder=4, solid_capstyle="butt")
    low, high = axes.get_xlim()
    dot = {"ms": size, "color": colour, "mec": "white", "mew": size / 11}
    cut_off = (
        not low <= each.received_s <= high
    )  # a dot on the edge is whole, one beyond is not there
    axes.plot(each.received_s, height, "o", zorder=5, clip_on=cut_off, **dot)  # type: ignore[arg-type]
    if size < LEAST_NUMBERED:
        return
    ink = INK if colour == MODES["long"].colour else "white"  # orange is too light for white
    text_size = 0.68 * size * (1 if each.number < 10 else 0.8)
    axes.annotate(str(each.number), (each.received_s, height), color=ink, size=text_size,
                  weight="bold", ha="center", va="center_baseline", zorder=6,
                  annotation_clip=True)  # fmt: skip
