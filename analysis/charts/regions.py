"""Colour a map by which mode is cheapest, and hatch it where that mode is too slow."""

from collections.abc import Sequence

import msgspec
import numpy as np
from matplotlib.axes import Axes

from analysis.break_even import Measure, Point, StepCosts, latency_mean_ms, over
from analysis.charts.canvas import INK
from analysis.modes import MODES, title
from analysis.theory import Floats

PALE = 0.5  # so that measured points stand out from the map
THIN = 5  # one in so many points is tried as a name's place
LABEL = (0.075, 0.2)  # half of a name's height and width, of a map's


class Grid(msgspec.Struct, frozen=True):
    """The points of a map, row by row, and their places on its axes."""

    x: Floats
    y: Floats
    points: Sequence[Sequence[Point]]

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.y), len(self.x)

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Return row and column of a place between the points."""
        rows = np.interp(np.log(y), np.log(self.y), np.arange(len(self.y)))
        columns = np.interp(np.log(x), np.log(self.x), np.arange(len(self.x)))
        return float(rows), float(columns)


def draw_regions(
    axes: Axes, grid: Grid, costs: StepCosts, measure: Measure, modes: Sequence[str],
    target_ms: float,
) -> None:  # fmt: skip
    """Fill where each of the modes is cheapest; hatch where its mean latency misses the target."""
    leading = leads(grid, costs, measure, modes)
    for mode, lead in leading.items():
        if (lead <= 0).all():
            continue
        axes.contourf(grid.x, grid.y, lead, [0, np.inf], colors=[MODES[mode].colour], alpha=PALE)
        late = np.log(over(latency_mean_ms, costs, mode, grid.points) / target_ms)
        slow = np.minimum(lead, late)
        if (slow > 0).any():
            hatched = axes.contourf(
                grid.x, grid.y, slow, [0, np.inf], colors="none", hatches=["//"]
            )
            hatched.set_edgecolor("white")
            hatched.set_linewidth(0)


def draw_border(axes: Axes, grid: Grid, costs: StepCosts, measure: Measure, mode: str) -> None:
    """Draw where a mode begins to be cheapest by another measure, as a dashed line."""
    lead = leads(grid, costs, measure, tuple(MODES))[mode]
    if lead.min() < 0 < lead.max():
        axes.contour(grid.x, grid.y, lead, [0], colors=[INK], linestyles=[(0, (4, 3))],
                     linewidths=1.8)  # fmt: skip


def leads(
    grid: Grid, costs: StepCosts, measure: Measure, modes: Sequence[str]
) -> dict[str, Floats]:
    """Return by mode the logarithm of how many times dearer the next mode is; below 0 it leads."""
    values = {mode: np.log(over(measure, costs, mode, grid.points)) for mode in modes}
    return {
        mode: np.min([values[other] for other in modes if other != mode], axis=0) - values[mode]
        for mode in modes
    }


def name_regions(
    axes: Axes, grid: Grid, leading: dict[str, Floats], dots: Sequence[tuple[float, float]]
) -> None:
    """Write each region's name where it is farthest from borders and dots, if it has room."""
    size = np.array(grid.shape) * LABEL
    for mode, lead in leading.items():
        framed = np.pad(lead, 1, constant_values=-1)
        inside, others = np.argwhere(framed > 0)[::THIN] - 1, np.argwhere(framed <= 0) - 1
        obstacles = np.concatenate([others, *([grid.place(*dot)] for dot in dots)])
        if not len(inside):
            continue
        away = np.abs(inside[:, np.newaxis] - obstacles) / size
        room = away.max(axis=2).min(axis=1)
        row, column = inside[room.argmax()]
        if room.max() > 1:
            axes.text(grid.x[column], grid.y[row], title(mode).replace(" ", "\n"), size=15,
                      weight="bold", ha="center", va="center", linespacing=1.0)  # fmt: skip
