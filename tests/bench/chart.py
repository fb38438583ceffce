"""Draw what the benchmark measured: a panel for each part and setting, a bar for each server."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.fanout import FAN_OUT, IN_FLIGHT, LATENCY, setting
from tests.bench.instrument import COST
from tests.bench.memory import POLLS, SOCKETS
from tests.bench.polls import HELD, SHORT
from tests.bench.results import Window
from tests.bench.workers import SHARED

STYLE = Path(__file__).parents[2] / "analysis" / "style.mplstyle"
OURS = ("room", "feed")
OWN, OTHER = "#0072B2", "#999999"
COLUMNS = 3


@dataclass(frozen=True)
class Panel:
    """Which windows a panel shows, under what title, and which figure of theirs."""

    part: str
    setting: str
    title: str
    figure: str = "figure"


REST = {
    LATENCY: "p99 latency in ms",
    SHORT: "Empty polls/s",
    HELD: "Held polls woken/s",
    SOCKETS: "KiB of an idle WebSocket",
    POLLS: "KiB of a held poll",
    SHARED: "With Redis",
    COST: "CPU µs of a reader",
}


def draw(windows: list[Window], folder: Path) -> None:
    """Write `bench.svg` and `bench.png` into the folder."""
    panels = list(_panels(windows))
    if not panels:
        return
    with mpl.rc_context(fname=STYLE):
        rows = -(-len(panels) // COLUMNS)
        figure = Figure(figsize=(18, 3.6 * rows), layout="constrained")
        for place, panel in enumerate(panels, 1):
            _draw(figure.add_subplot(rows, COLUMNS, place), panel, windows)
        for kind in ("svg", "png"):
            figure.savefig(folder / f"bench.{kind}")


def _panels(windows: list[Window]) -> Iterator[Panel]:
    """Yield a row of panels for each number of sockets, CPU for each of these, then the rest."""
    settings = list(dict.fromkeys((window.part, window.setting) for window in windows))
    numbers = sorted({_sockets(name) for part, name in settings if part == FAN_OUT})
    for sockets in numbers:
        for in_flight in IN_FLIGHT:
            name = setting(sockets, in_flight)
            yield Panel(FAN_OUT, name, f"Deliveries/s, {name}")
    for sockets in numbers:
        title = f"CPU µs of a delivery, {sockets:,} sockets"
        yield Panel(FAN_OUT, setting(sockets, 1), title, "cpu_us")
    for part, title in REST.items():
        names = [name for each, name in settings if each == part]
        yield from (Panel(part, name, f"{title}, {name}") for name in names)


def _sockets(name: str) -> int:
    return int(name.partition(" ")[0].replace(",", ""))


def _draw(axes: Axes, panel: Panel, windows: list[Window]) -> None:
    servers: dict[str, list[float]] = {}
    for window in windows:
        if (window.part, window.setting) == (panel.part, panel.setting):
            servers.setdefault(window.server, []).append(attrgetter(panel.figure)(window))
    for name in sorted(servers, key=lambda name: median(servers[name])):
        low, middle, high = min(servers[name]), median(servers[name]), max(servers[name])
        colour = OWN if name.split("-")[0] in OURS else OTHER
        axes.barh(name, middle, color=colour)
        axes.plot([low, high], [name, name], color="black", linewidth=1.5)
        text = f"{middle:,.0f}" if middle >= 100 else f"{middle:.1f}"
        axes.annotate(text, (high, name), va="center", xytext=(6, 0), textcoords="offset points")
    axes.margins(x=0.25)
    axes.set_xticks([])  # each bar says its figure
    axes.set_title(panel.title, loc="left", size=13)
