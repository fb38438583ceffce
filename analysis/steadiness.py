"""Tell whether latency stood still over a run, or moved while it was measured. No drawing here."""

import polars as pl

from analysis.runs import KEYS, latency_ms, mode_order, with_void
from clients.log import Log

SPREAD = (0.1, 0.9)


def samples_of(log: Log, shown: pl.DataFrame) -> pl.DataFrame:
    """Return the deliveries with the time of their publish, in seconds from the window's start."""
    runs = with_void(log.runs).filter("averaged", pl.col("window_start_ns").is_not_null())
    runs = runs.join(shown, on=KEYS, how="semi")
    runs = runs.select(
        "run", "mode", "stall_s", "faults_per_s", "warmup_s", "duration_s", "window_start_ns"
    )
    at_s = (pl.col("published_ns") - pl.col("window_start_ns")) / 1e9
    every = log.deliveries.lazy().join(runs.lazy(), on="run", maintain_order="left")
    about = ("run", "message", "mode", "stall_s", "faults_per_s", "warmup_s", "duration_s")
    samples = every.select(*about, at_s=at_s, latency_ms=latency_ms())
    return samples.filter(pl.col("at_s") < pl.col("duration_s")).collect()


def in_buckets(samples: pl.DataFrame, step_s: float) -> pl.DataFrame:
    """Return median and spread of each mode's latency in slices of time."""
    low, high = (pl.col("latency_ms").quantile(share, "linear") for share in SPREAD)
    bucket = ((pl.col("at_s") / step_s).floor() + 0.5) * step_s
    grouped = samples.group_by("mode", middle_s=bucket)
    return grouped.agg(pl.col("latency_ms").median(), low=low, high=high).sort("middle_s")


def moves_of(samples: pl.DataFrame, shown: pl.DataFrame, duration_s: float) -> pl.DataFrame:
    """Return for each good mode how its latency moves from the window's first half to its second.

    move: the ratio of the medians; sure: whether the messages, of which each counts once, differ
        by more than three standard errors (Welch 1947), on a logarithmic scale
    """
    good = shown.filter(~pl.col("void"))["mode"].to_list()
    inside = samples.filter(pl.col("at_s") >= 0, pl.col("mode").is_in(good))
    inside = inside.with_columns(late=pl.col("at_s") >= duration_s / 2)
    messages = inside.group_by("mode", "late", "run", "message").agg(pl.col("latency_ms").median())
    log = pl.col("latency_ms").log()
    halves = messages.group_by("mode", "late").agg(mean=log.mean(), error=log.var() / pl.len())
    medians = inside.group_by("mode", "late").agg(pl.col("latency_ms").median())
    both = halves.join(medians, on=["mode", "late"])
    first, second = both.filter(~pl.col("late")), both.filter("late")
    apart = (pl.col("mean_right") - pl.col("mean")).abs()
    return (
        first.join(second, on="mode")
        .select(
            "mode",
            move=pl.col("latency_ms_right") / pl.col("latency_ms"),
            sure=apart > 3 * (pl.col("error") + pl.col("error_right")).sqrt(),
        )
        .sort(mode_order())
    )
