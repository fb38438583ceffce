"""Draw which share of the responses brings nothing."""

import polars as pl
from matplotlib.figure import Figure

from analysis import headlines
from analysis.charts.comparison import compare
from analysis.charts.measure import Measure
from clients.log import Log

MEASURE = Measure("empty_share", "share of responses without a message", "theory_empty_share", True)


def draw_empty(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the share of empty responses."""
    return compare(log, summary, MEASURE, headlines.empty)
