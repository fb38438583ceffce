"""Draw what each mode needs from a hundred clients to a hundred million."""

from collections.abc import Callable, Sequence

import msgspec
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from analysis.capacity import Amount, Need, Wish, need
from analysis.charts.canvas import INK, QUIET, slide, style
from analysis.charts.curves import name_ends
from analysis.charts.panels import panels
from analysis.client_costs import ClientCosts
from analysis.modes import MODES
from analysis.wording import figure as digits
from analysis.wording import plain

FEWEST, MOST = 100, 100_000_000
POINTS = 37
NAME_ROOM = 0.13  # of the slide's width, for the modes' names
GAP = 0.05
ASIDE = 0.06
SHORT_NUMBERS = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


class Panel(msgspec.Struct, frozen=True):
    """What a panel shows of a need, and what one server has of it."""

    axis: str
    amount: Callable[[Need, Wish], Amount]
    of_a_server: Callable[[Wish], float] = lambda _: 0


def draw_capacity(costs: dict[str, ClientCosts], wish: Wish, title: str, subtitle: str) -> Figure:
    """Draw cores, memory and bandwidth over the number of clients, one curve for each mode."""
    note = (
        "Band, where runs were repeated: 95 % interval. Dashed: what one server has. To the right"
        " of the dotted line not every mode was measured."
    )
    with style():
        figure, axes = slide(title, subtitle, note, left=0.075, axis=" ")
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left, bottom, width - NAME_ROOM, height))
        drawn = panels(figure, axes, len(PANELS), GAP)
        clients = np.geomspace(FEWEST, MOST, POINTS).round().astype(int)
        for place, (each, panel) in enumerate(zip(drawn, PANELS, strict=True)):
            ends = _curves(each, panel, costs, [_of(wish, int(n)) for n in clients])
            _scale(each, panel, wish, min(cost.clients for cost in costs.values()))
            if place == len(PANELS) - 1:
                name_ends(each, ends, ASIDE)
    return figure


def _of(wish: Wish, clients: int) -> Wish:
    return msgspec.structs.replace(wish, clients=clients)


def _curves(
    axes: Axes, panel: Panel, costs: dict[str, ClientCosts], wishes: Sequence[Wish]
) -> dict[str, float]:
    """Draw each mode's curve; return where it ends."""
    x, ends = [wish.clients for wish in wishes], {}
    axes.set_xscale("log")
    axes.set_yscale("log")
    for mode, cost in costs.items():
        amounts = [panel.amount(need(cost, wish), wish) for wish in wishes]
        colour = MODES[mode].colour
        spans = [amount.ends or (amount.value, amount.value) for amount in amounts]
        low, high = zip(*spans, strict=True)
        axes.fill_between(x, low, high, color=colour, alpha=0.25, lw=0)
        axes.plot(x, [amount.value for amount in amounts], color=colour, zorder=3)
        ends[mode] = amounts[-1].value
    return ends


def _scale(axes: Axes, panel: Panel, wish: Wish, measured: int) -> None:
    axes.set_title(panel.axis, loc="left", size=15, pad=10)
    axes.set_xlim(FEWEST, MOST)
    axes.set_xlabel("clients", labelpad=8)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(100, numticks=12))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.axvline(measured, color=QUIET, lw=1.6, ls=(0, (1, 2)))
    if server := panel.of_a_server(wish):
        axes.axhline(server, color=INK, lw=1.6, ls=(0, (4, 3)))


def short(value: float) -> str:
    """Write a round number in little room: `100`, `10k`, `1M`."""
    for size, letter in SHORT_NUMBERS:
        if value >= size:
            return f"{plain(value / size)}{letter}"
    return digits(value, 1)


def _cores(need: Need, wish: Wish) -> Amount:
    """Return cores without rounding up, so that a curve has no steps."""
    busy = need.busy_cores
    ends = busy.ends and (busy.ends[0] / wish.utilisation, busy.ends[1] / wish.utilisation)
    return Amount(busy.value / wish.utilisation, ends)


def _mbit(need: Need, _: Wish) -> Amount:
    return Amount((need.up_bytes_per_s + need.down_bytes_per_s) * 8 / 1e6)


PANELS = (
    Panel("cores", _cores, lambda wish: wish.server_cores),
    Panel("memory in GiB", lambda need, _: need.memory_gib, lambda wish: wish.server_gib),
    Panel("Mbit/s, both ways", _mbit),
)
