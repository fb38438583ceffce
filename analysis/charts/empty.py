"""Draw which share of the responses brings nothing."""

import polars as pl
from matplotlib.figure import Figure

from analysis import headlines
from analysis.charts.comparison import compare
from analysis.charts.measure import Measure
from clients.log import Log

AXIS = "share of responses without a message"
MEASURE = Measure("empty_share", AXIS, "theory_empty_share", share=True)


def draw_empty(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the share of empty responses."""
    return compare(log, summary, MEASURE, headlines.empty)
