"""Derive what one step of a mode takes, from the warm-up's messages. No theory here.

They are apart, so that each meets an idle server, and none of them is measured: what theory makes
of them is a prediction. A log without a warm-up, such as a class's, has only the messages of its
window that met an idle server.
"""

from typing import Literal

import polars as pl

from analysis.once import once
from clients.log import Log

NS_PER_S = 1e9
IDLE_S = 0.04  # beyond two of the longest round trips, the time since the last publish


@once
def unit_costs(log: Log) -> pl.DataFrame:
    """Return a row per run: run, transit_s, per_reader_s, round_trip_s, rearm_s.

    transit_s: d, from publish to the first reader; half a round trip for short polling, whose
        readers ask at random moments
    per_reader_s: c, for each further reader; round_trip_s: R, of a poll answered at once
    rearm_s: G, from an answer leaving the server to the client's next long poll reaching it

    Without any probe they are what the emulated link alone would make them.
    """
    runs = log.runs.select("run", "mode", "rtt_ms", "jitter_ms", "keepalive")
    probes = _armed(log, _probes(log))
    costs = (
        runs.join(_fanout(probes, log.runs), on="run", how="left")
        .join(_round_trips(log), on="run", how="left")
        .join(_rearms(log, probes), on="run", how="left")
    )
    return costs.select("run", **_by_mode()).sort("run")


def _by_mode() -> dict[str, pl.Expr]:
    short, long = pl.col("mode") == "short", pl.col("mode") == "long"
    rtt_s = (pl.col("rtt_ms") + pl.col("jitter_ms")) / 1e3  # half of the jitter each way
    round_trip_s = pl.col("round_trip_s").fill_null(rtt_s)
    transit_s = pl.col("first_s").fill_null(rtt_s / 2)
    # A poll that opens its own connection crosses the link twice more (TCP's handshake), without
    # the jitter, which the link gives to bytes alone.
    jitter_s, kept = pl.col("jitter_ms") / 1e3, pl.col("keepalive")
    opening_s = pl.when(long & ~kept).then(2 * transit_s - jitter_s).otherwise(0.0)
    asked_s = pl.when(kept).then(round_trip_s / 2).otherwise((round_trip_s + jitter_s) / 4)
    deaf_s = pl.col("deaf_s") + transit_s + opening_s
    return {
        "transit_s": pl.when(short).then(asked_s).otherwise(transit_s),
        "per_reader_s": pl.when(short).then(0.0).otherwise(pl.col("further_s").fill_null(0.0)),
        "round_trip_s": pl.when(short).then(round_trip_s).otherwise(2 * transit_s + opening_s),
        "rearm_s": pl.when(long).then(deaf_s.fill_null(rtt_s)),
    }


def _probes(log: Log) -> pl.DataFrame:
    """Return deliveries of messages that met an idle server; never a run's first, unless alone.

    The first finds caches cold; what is published after the window meets the end of the run.
    """
    stamps = ("run", "message", "sent_ns", "published_ns")
    messages = log.deliveries.lazy().select(stamps).unique()
    before = pl.col("published_ns").shift(1).over("run", order_by="published_ns")
    ways = pl.when(pl.col("mode") == "long").then(2).otherwise(1)  # a gap holds two
    longest_ms = pl.col("rtt_ms") + ways * pl.col("jitter_ms")
    idle_ns = (IDLE_S + 2 * longest_ms / 1e3) * NS_PER_S
    quiet = pl.col("published_ns") - before >= idle_ns
    alone = pl.len().over("run") == 1
    windows = ("window_start_ns", "window_end_ns")
    runs = log.runs.lazy().select("run", "mode", "rtt_ms", "jitter_ms", *windows)
    early = pl.col("sent_ns") <= pl.col("window_end_ns")
    idle = messages.join(runs, on="run").filter(early, quiet | alone)
    warmup = pl.col("sent_ns") <= pl.col("window_start_ns")
    probes = idle.filter(warmup | ~warmup.any().over("run"))
    return log.deliveries.lazy().join(probes, on=["run", "message"], how="semi").collect()


def _armed(log: Log, probes: pl.DataFrame) -> pl.DataFrame:
    """Leave out what long polls brought that had not reached the server before it was published.

    Such a message met the gap, and waited for its rest: it says nothing of a transit, nor of G.
    """
    transits = pl.when("keepalive").then(1).otherwise(3)  # with TCP's handshake
    way_ms = transits * pl.col("rtt_ms") / 2 + pl.col("jitter_ms")
    runs = log.runs.filter(pl.col("mode") == "long").select("run", way_ms=way_ms)
    asked = log.requests.join(runs, on="run").select(
        "run", "client", "started_ns", armed_ns=pl.col("started_ns") + pl.col("way_ms") * 1e6
    )
    carried = _with_request(probes, asked, "backward")
    met = pl.col("armed_ns") <= pl.col("published_ns")
    return carried.filter(met | pl.col("armed_ns").is_null()).select(probes.columns)


def _fanout(probes: pl.DataFrame, runs: pl.DataFrame) -> pl.DataFrame:
    """Return first_s, further_s by run, such that their mean latency is that of the probes.

    The N readers' turns are c apart, so their mean is d + (N + 1) c/2. Of a crowd, n are measured,
    spread evenly among the others: their first and last are (n - 1)(N + 1)/(n + 1) turns apart.
    Where the link jitters, their latencies say nothing of turns, and d is all of the mean.
    """
    latency_s = (pl.col("received_ns") - pl.col("published_ns")) / NS_PER_S
    span_s, measured, readers = (
        latency_s.max() - latency_s.min(),
        pl.len(),
        pl.col("clients").first(),
    )
    turns = (measured - 1) * (readers + 1) / (measured + 1)
    in_turn = (measured > 1) & (pl.col("jitter_ms").first() == 0)
    further_s = pl.when(in_turn).then(span_s / turns).otherwise(0.0)
    before_s = latency_s.mean() - (readers + 1) / 2 * further_s
    of_runs = probes.join(runs.select("run", "clients", "jitter_ms"), on="run")
    each = of_runs.group_by("run", "message", maintain_order=True).agg(
        first_s=before_s, further_s=further_s
    )
    return each.group_by("run").agg(pl.col("first_s", "further_s").mean())


def _round_trips(log: Log) -> pl.DataFrame:
    """Return round_trip_s by run: the median short poll, but for those that opened a connection.

    Where every poll opens its own, all count.
    """
    runs = log.runs.lazy().filter(pl.col("mode") == "short")
    polls = log.requests.lazy().join(runs.select("run", "window_start_ns", "keepalive"), on="run")
    opened = pl.col("started_ns") == pl.col("started_ns").min().over("run", "connection")
    answered = pl.col("status").is_in([200, 204])
    early = polls.filter(pl.col("started_ns") < pl.col("window_start_ns"), answered)
    took_s = (pl.col("ended_ns") - pl.col("started_ns")) / NS_PER_S
    kept = early.filter(~(opened & pl.col("keepalive")))
    return kept.group_by("run").agg(round_trip_s=took_s.median()).collect()


def _rearms(log: Log, probes: pl.DataFrame) -> pl.DataFrame:
    """Return deaf_s by run: from the publish of an answer's last message to the next request."""
    runs = log.runs.filter(pl.col("mode") == "long").select("run", "window_start_ns")
    news = probes.join(runs.select("run"), on="run")
    starts = log.requests.join(runs.select("run"), on="run").select("run", "client", "started_ns")
    followed = _with_request(news, starts, "forward").filter(pl.col("started_ns").is_not_null())
    answers = followed.group_by("run", "client", "started_ns").agg(pl.col("published_ns").max())
    deaf_ns = pl.col("started_ns") - pl.col("published_ns")
    return answers.group_by("run").agg(deaf_s=deaf_ns.sum() / pl.len() / NS_PER_S)


def _with_request(
    probes: pl.DataFrame, requests: pl.DataFrame, strategy: Literal["backward", "forward"]
) -> pl.DataFrame:
    """Lay beside each probe its client's last request before it came, or the first from then on."""
    return probes.sort("received_ns").join_asof(
        requests.sort("started_ns"),
        left_on="received_ns",
        right_on="started_ns",
        by=["run", "client"],
        strategy=strategy,
        allow_exact_matches=strategy == "forward",
        coalesce=False,
        check_sortedness=False,
    )
