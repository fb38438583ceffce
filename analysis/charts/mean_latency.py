"""Draw how late a message is on average at each of several settings."""

import polars as pl
from matplotlib.figure import Figure

from analysis import headlines
from analysis.charts.comparison import compare
from analysis.charts.measure import Measure
from analysis.rows import differing
from clients.log import Log

AXIS = "mean latency, from publish to reader"
MEASURE = Measure("latency_mean_ms", AXIS, "theory_latency_mean_ms", time=True)


def draw_mean_latency(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw mean latency over the settings; None when there is but one."""
    if not differing(summary):
        return None
    return compare(log, summary, MEASURE, headlines.mean_latency)
