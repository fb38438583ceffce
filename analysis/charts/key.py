"""The key of the timeline, made of the signs themselves."""

from matplotlib.figure import Figure

from analysis.charts.canvas import INK, QUIET
from analysis.charts.shapes import arc, arrival
from analysis.scene import Arrival

SIGNS = ("published", "empty request", "request with news", "message arrives, after its wait")


def draw_key(figure: Figure) -> None:
    """Draw a line of signs with their meaning at the foot of the slide."""
    axes = figure.add_axes((0.035, 0.02, 0.94, 0.075))
    axes.set_axis_off()
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 0.37)
    axes.plot(1.5, 0.18, "v", ms=14, color=INK)
    arc(axes, (19, 21), 0.05, QUIET, news=False)
    arc(axes, (41, 43), 0.05, QUIET, news=True)
    arrival(axes, Arrival(1, 65, 69), 0.18, QUIET)
    for x, text in zip((3.3, 22, 44, 71), SIGNS, strict=True):
        axes.text(x, 0.175, text, size=16, va="center_baseline", color=INK)
