"""Count latency in both ways where the server stalled: from publish, and from the intended time.

No drawing here. A publisher that waits for the server would fall silent with it; ours keeps its
schedule, so the time it meant to publish at is known (Gil Tene, "How NOT to Measure Latency").
"""

import polars as pl

from analysis.modes import MODES
from analysis.runs import KEYS, latency_ms, meant_for_window, with_void
from clients.log import Log

KINDS = ("intended_ms", "published_ms")
P99 = 0.99


def samples_of(log: Log, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the deliveries of the rows' windows: when they were meant, and how long they took."""
    runs = with_void(log.runs).filter("averaged", pl.col("window_start_ns").is_not_null())
    runs = runs.join(rows, on=KEYS, how="semi")
    about = ("run", "mode", "stall_s", "duration_s", "window_start_ns", "window_end_ns")
    inside = log.deliveries.join(runs.select(about), on="run").filter(meant_for_window())
    return inside.with_columns(
        meant_s=(pl.col("sent_ns") - pl.col("window_start_ns")) / 1e9,
        intended_ms=(pl.col("received_ns") - pl.col("sent_ns")) / 1e6,
        published_ms=latency_ms(),
    ).sort("run")


def tails_of(samples: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Return each mode's p99 in ms, counted from the intended time and from publish."""
    p99 = samples.group_by("mode").agg(pl.col(KINDS).quantile(P99, "linear")).rows_by_key("mode")
    return {mode: p99[mode][0] for mode in MODES if mode in p99}


def tails(log: Log, rows: pl.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the same of the rows of a log."""
    return tails_of(samples_of(log, rows))
