"""Draw what the benchmark measured: a panel for each part, a bar for each server."""

from pathlib import Path
from statistics import median

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tests.bench.results import Window

STYLE = Path(__file__).parents[2] / "analysis" / "style.mplstyle"
OURS = ("room", "feed")
OWN, OTHER = "#0072B2", "#999999"
SETTINGS = (
    "1,000 sockets, 1 in flight",
    "1,000 sockets, 4 in flight",
    "1,000 sockets, 16 in flight",
)
PANELS = (
    *(("fan-out", setting, f"Deliveries/s, {setting.split(', ')[1]}") for setting in SETTINGS),
    ("latency", "1,000 sockets, 10 texts/s", "p99 latency, ms"),
    ("short polls", "64 connections", "Empty polls/s"),
    ("held polls", "1,000 connections", "Held polls woken/s"),
    ("memory of a WebSocket", "2,000 more", "KiB of an idle WebSocket"),
    ("memory of a held poll", "2,000 more", "KiB of a held poll"),
)


def draw(windows: list[Window], folder: Path) -> None:
    """Write `bench.svg` and `bench.png` into the folder."""
    figures: dict[tuple[str, str], dict[str, list[float]]] = {}
    for one in windows:
        servers = figures.setdefault((one.part, one.setting), {})
        servers.setdefault(one.server, []).append(one.figure)
    panels = [panel for panel in PANELS if panel[:2] in figures]
    if not panels:
        return
    with mpl.rc_context(fname=STYLE):
        rows = -(-len(panels) // 2)
        figure = Figure(figsize=(13, 3.6 * rows), layout="constrained")
        for place, (part, setting, title) in enumerate(panels, 1):
            _panel(figure.add_subplot(rows, 2, place), figures[part, setting], title)
        for kind in ("svg", "png"):
            figure.savefig(folder / f"bench.{kind}")


def _panel(axes: Axes, servers: dict[str, list[float]], title: str) -> None:
    names = sorted(servers, key=lambda name: median(servers[name]))
    for name in names:
        low, middle, high = min(servers[name]), median(servers[name]), max(servers[name])
        colour = OWN if name.split("-")[0] in OURS else OTHER
        axes.barh(name, middle, color=colour)
        axes.plot([low, high], [name, name], color="black", linewidth=1.5)
        text = f"{middle:,.0f}" if middle >= 100 else f"{middle:.1f}"
        axes.annotate(text, (high, name), va="center", xytext=(6, 0), textcoords="offset points")
    axes.margins(x=0.25)
    axes.set_xticks([])  # each bar says its figure
    axes.set_title(title, loc="left")
