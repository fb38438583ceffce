"""Draw what a delivery costs the server's processor."""

import polars as pl
from matplotlib.figure import Figure

from analysis import headlines
from analysis.charts.comparison import compare
from analysis.charts.measure import Measure
from clients.log import Log

MEASURE = Measure("server_cpu_us_per_delivery", "µs of server CPU per delivered message")


def draw_cpu(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw server CPU per delivered message; None when the server could not be watched."""
    return compare(log, summary, MEASURE, headlines.cpu)
