"""Put several axes, side by side, where a slide has one."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def panels(figure: Figure, axes: Axes, count: int, gap: float) -> list[Axes]:
    """Replace axes by so many that share their room; gap: of the slide's width, between them."""
    left, bottom, width, height = axes.get_position().bounds
    axes.remove()
    each = (width - (count - 1) * gap) / count
    return [
        figure.add_axes((left + place * (each + gap), bottom, each, height))
        for place in range(count)
    ]
