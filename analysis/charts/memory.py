"""Draw what a client costs the server's memory."""

import polars as pl
from matplotlib.figure import Figure

from analysis import headlines
from analysis.charts.comparison import compare
from analysis.charts.measure import Measure
from clients.log import Log

MEASURE = Measure("server_kib_per_client", "KiB of server memory per client")


def draw_memory(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw server memory per client; None when the server could not be watched."""
    return compare(log, summary, MEASURE, headlines.memory)
