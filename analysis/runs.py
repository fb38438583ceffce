"""Reduce the log to figures of each run. No averages over runs here.

A run's deliveries are those of messages meant for its window, its polls those that started in it.
The first of these polls also bring what was published before, and the last messages come
with polls that start after it; so a message's own bytes count where it is counted. A WebSocket
session is one request that spans the run, so it is counted whole: all its bytes against all its
deliveries. The rows are those of the measured clients; a crowd that is only counted shares the
server, so the server's figures are shared out among all clients.
"""

import numpy as np
import polars as pl

from analysis.modes import MODES, POLLS
from analysis.once import once
from analysis.theory import Floats
from clients.log import Log, LogError

KEYS = ("setting", "mode")
UNDISTURBED = (pl.col("stall_s") == 0) & (pl.col("faults_per_s") == 0)
FORESEEN = UNDISTURBED & (pl.col("kbit_per_s") == 0)  # by theory, which knows no bandwidth
PLAIN = (
    FORESEEN
    & pl.col("keepalive")
    & ~pl.col("deflate")
    & (pl.col("jitter_ms") == 0)
    & (pl.col("timer") == "after")
    & (pl.col("schedule") == "poisson")
)
OK, NO_CONTENT = 200, 204


@once
def figures_of_runs(log: Log) -> pl.DataFrame:
    """Return the runs, each with its figures, in the order of settings and modes.

    void: the run failed a check, or was interrupted
    averaged: it counts towards its row: not void, unless every run of the row is
    window_deliveries, window_requests, window_s, session_s: what the figures are made of
    served: deliveries of the window to all clients, also to those that are only counted
    """
    runs = with_void(log.runs)
    runs = runs.join(_of_deliveries(log), on="run", how="left")
    runs = runs.join(_of_requests(log), on="run", how="left")
    counts = ("window_deliveries", "all_deliveries", "window_requests")
    window_s = (pl.col("window_end_ns") - pl.col("window_start_ns")) / 1e9
    runs = runs.with_columns(pl.col(counts).fill_null(0), window_s=window_s)
    runs = runs.with_columns(pl.col("all_bytes_down", "body_bytes") - _astray_bytes())
    served = pl.col("window_deliveries") + pl.col("crowd_window_deliveries")
    both_ways = pl.col("bytes_up_per_delivery") + pl.col("bytes_down_per_delivery")
    return (
        runs.with_columns(served=served)
        .with_columns(**_figures())
        .with_columns(bytes_per_delivery=both_ways)
        .sort("setting", mode_order(), "trial", "run")
    )


def mode_order() -> pl.Expr:
    """Return what to sort by for the modes' order."""
    return pl.col("mode").replace_strict(list(MODES), range(len(MODES)))


def is_poll() -> pl.Expr:
    """Say whether a run's readers poll; else each has one session that spans the run."""
    return pl.col("mode").is_in(POLLS)


def with_void(runs: pl.DataFrame) -> pl.DataFrame:
    """Add `void` and `averaged`; raise LogError when a mode is unknown."""
    if unknown := set(runs["mode"]) - set(MODES):
        modes = ", ".join(sorted(unknown))
        raise LogError(f"the log has an unknown mode, {modes}: add it to analysis/modes.py")
    void = ~pl.col("valid") | pl.col("interrupted")
    return runs.with_columns(void=void).with_columns(
        averaged=~pl.col("void") | pl.col("void").all().over(KEYS)
    )


@once
def window_deliveries(log: Log) -> pl.DataFrame:
    """Return run, latency_ms of the messages meant for each run's window."""
    windows = log.runs.lazy().select("run", "window_start_ns", "window_end_ns")
    inside = log.deliveries.lazy().join(windows, on="run").filter(meant_for_window())
    return inside.select("run", latency_ms=latency_ms()).collect()


@once
def latencies_ms(log: Log) -> dict[int, Floats]:
    """Return the same by run, sorted; a run that has none is not there."""
    by_run = window_deliveries(log).partition_by("run", as_dict=True)
    return {
        int(str(run)): np.sort(of_run["latency_ms"].to_numpy()) for (run,), of_run in by_run.items()
    }


def meant_for_window() -> pl.Expr:
    """Say whether a message counts: the one at the window's end, not the one at its start."""
    return pl.col("sent_ns").is_between("window_start_ns", "window_end_ns", closed="right")


def latency_ms() -> pl.Expr:
    """Return a delivery's latency: from publish to the reader."""
    return (pl.col("received_ns") - pl.col("published_ns")) / 1e6


def _started_in_window() -> pl.Expr:
    return pl.col("started_ns").is_between("window_start_ns", "window_end_ns", closed="left")


def _of_deliveries(log: Log) -> pl.DataFrame:
    counts = {run: (len(each), float(each.mean())) for run, each in latencies_ms(log).items()}
    columns = {"run": pl.Int64, "window_deliveries": pl.UInt32, "latency_mean_ms": pl.Float64}
    latency = pl.DataFrame([(run, *each) for run, each in counts.items()], columns, orient="row")
    everything = log.deliveries.group_by("run").agg(all_deliveries=pl.len())
    return everything.join(latency, on="run", how="left")


def _of_requests(log: Log) -> pl.DataFrame:
    windows = log.runs.lazy().select("run", "mode", "window_start_ns", "window_end_ns")
    every = log.requests.lazy().join(windows, on="run")
    on_the_wire = pl.col("bytes_up").is_null() | (pl.col("bytes_up") > 0)
    requests = every.filter(~is_poll() | _started_in_window(), on_the_wire)
    spans_s = (pl.col("ended_ns") - pl.col("started_ns")).sum() / 1e9
    sums = {
        "brought": pl.col("messages").sum(),
        "window_requests": pl.len(),
        "responses": (pl.col("status") > 0).sum(),
        "empty": (pl.col("status") == NO_CONTENT).sum(),
        "all_bytes_up": pl.col("bytes_up").sum(),
        "all_bytes_down": pl.col("bytes_down").sum(),
        "request_s": spans_s,
    }
    of_polls = every.filter(is_poll(), pl.col("status") == OK)
    found = requests.group_by("run").agg(**sums)
    return found.join(_message_bytes(of_polls), on="run", how="left").collect()


def _message_bytes(news: pl.LazyFrame) -> pl.LazyFrame:
    """Return by run what a response grows by with each message; null when all bring as many."""
    size, count = pl.col("bytes_down"), pl.col("messages")
    sums = {"x": count.sum(), "y": size.sum(), "xx": (count**2).sum(), "xy": (size * count).sum()}
    # Of whole sums, which are the same in whatever order the rows are added.
    n, x, y, xx, xy = (pl.col(name).cast(pl.Float64) for name in ("n", *sums))
    slope = pl.when(n * xx > x**2).then((n * xy - x * y) / (n * xx - x**2))
    return news.group_by("run").agg(n=pl.len(), **sums).select("run", message_bytes=slope)


def _astray_bytes() -> pl.Expr:
    """Return the bytes of messages that a run's polls brought, and that are not of its window."""
    return (pl.col("message_bytes") * (pl.col("brought") - pl.col("window_deliveries"))).fill_null(
        0
    )


def _figures() -> dict[str, pl.Expr]:
    session = ~is_poll()
    measured_clients = pl.col("clients") - pl.col("crowd_clients")
    client_s = pl.when(session).then("request_s").otherwise(measured_clients * pl.col("window_s"))
    deliveries = pl.when(session).then("all_deliveries").otherwise("window_deliveries")
    growth_bytes = pl.col("server_rss_bytes") - pl.col("server_rss_before_bytes")
    return {
        "per_deliveries": deliveries,
        "session_s": pl.when(session).then(_per("request_s", pl.col("window_requests"))),
        "requests_per_client_s": _per("window_requests", client_s),
        "requests_per_delivery": _per("window_requests", deliveries),
        "empty_share": _per("empty", pl.col("responses")),
        "bytes_up_per_delivery": _per("all_bytes_up", deliveries),
        "bytes_down_per_delivery": _per("all_bytes_down", deliveries),
        "server_cpu_us_per_delivery": _per("server_cpu_s", pl.col("served")) * 1e6,
        "server_kib_per_client": growth_bytes / pl.col("clients") / 1024,
    }


def _per(numerator: str, denominator: pl.Expr) -> pl.Expr:
    return pl.when(denominator > 0).then(pl.col(numerator) / denominator)
