"""Draw how many requests a delivered message costs."""

import polars as pl
from matplotlib.figure import Figure

from analysis import headlines
from analysis.charts.comparison import compare
from analysis.charts.measure import Measure
from clients.log import Log

MEASURE = Measure("requests_per_delivery", "requests per delivered message", "theory")


def draw_requests(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw requests per delivered message; theory is per second, at the rate of the deliveries."""
    deliveries_per_client_s = pl.col("requests_per_client_s") / pl.col("requests_per_delivery")
    theory = pl.col("theory_requests_per_client_s") / deliveries_per_client_s
    return compare(log, summary.with_columns(theory=theory), MEASURE, headlines.requests)
