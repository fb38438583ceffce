"""What one more client costs the server in each mode, as an experiment measured it, run by run.

A poll's cost is all of the window's server time over all polls, and a push's over all deliveries,
so it holds publishing and the process itself, which are little beside many clients.
"""

import math

import msgspec
import numpy as np
import polars as pl

from analysis.bootstrap import draw, drawn_means
from analysis.modes import MODES
from analysis.runs import NO_CONTENT, OK
from analysis.step_costs import counted
from analysis.theory import Floats
from clients.log import Log, LogError

LEAST_CLIENTS = 200
MAKE_ONE = (
    "python -m clients quick --clients 1000 --rate 0.5 --interval-s 10 --hold-s 30 --duration-s 20"
)


class ClientCosts(msgspec.Struct, frozen=True):
    """What a client of one mode costs, and the setting at which that was measured.

    step_us: server time of a poll with its answer, or of a push; memory_bytes: of each connection;
        process_bytes: of a server's process before anyone connects: the mean over runs
    *_draws: the same of each resample of the runs; empty when there is one run
    request_bytes, empty_bytes, news_bytes: of a poll's head, and of answers without messages;
        0 for a WebSocket
    message_bytes: of a message's JSON; runs: how many were averaged; busy: the server's share
    """

    mode: str
    clients: int
    rate_per_s: float
    interval_s: float
    hold_s: float
    rtt_ms: float
    payload_bytes: int
    step_us: float
    memory_bytes: float
    process_bytes: float
    step_draws: Floats
    memory_draws: Floats
    request_bytes: float
    empty_bytes: float
    news_bytes: float
    message_bytes: float
    busy: float
    runs: int


def client_costs(log: Log, rate_per_s: float | None = None) -> dict[str, ClientCosts]:
    """Return each mode's costs at its largest crowd, near `rate_per_s` where there are several.

    Raise LogError when a mode has no good run with LEAST_CLIENTS, saying how to make one.
    """
    runs = counted(log).filter(pl.col("clients") >= LEAST_CLIENTS, pl.col("messages") > 0)
    lacking = [mode.name for key, mode in MODES.items() if key not in set(runs["mode"])]
    if lacking:
        raise LogError(
            f"no good run of {' and '.join(lacking)} has {LEAST_CLIENTS} clients or more: make one "
            f"with `{MAKE_ONE}`"
        )
    generator = np.random.default_rng(log.experiment.seed)
    message_bytes = _message_bytes(runs)
    return {
        mode: _costs(log, _chosen(runs.filter(mode=mode), rate_per_s), message_bytes, generator)
        for mode in MODES
    }


def _chosen(runs: pl.DataFrame, rate_per_s: float | None) -> pl.DataFrame:
    """Return the runs of one setting: of most clients, and of the nearest rate."""
    most = runs.filter(pl.col("clients") == pl.col("clients").max())
    away = (pl.col("rate_per_s") / (rate_per_s or 1)).log().abs() if rate_per_s else pl.lit(0)
    setting = most.with_columns(away=away).sort("away", "setting")["setting"][0]
    return most.filter(pl.col("setting") == setting)


def _costs(
    log: Log, runs: pl.DataFrame, message_bytes: float, generator: np.random.Generator
) -> ClientCosts:
    row = runs.row(0, named=True)
    steps = pl.sum_horizontal("empty", "short_news", "long_news", "pushes")
    memory = pl.col("server_rss_bytes") - pl.col("server_rss_before_bytes")
    each = runs.select(
        step_us=pl.col("server_cpu_s") * 1e6 / steps, memory=memory / pl.col("clients")
    )
    step_us, memory_bytes = each["step_us"].to_numpy(), each["memory"].to_numpy()
    draws = draw(len(each), generator) if len(each) > 1 else None
    request_bytes, empty_bytes, news_bytes = _heads(log, runs, message_bytes)
    return ClientCosts(
        mode=row["mode"],
        clients=row["clients"],
        rate_per_s=row["rate_per_s"],
        interval_s=row["interval_s"],
        hold_s=row["hold_s"],
        rtt_ms=row["rtt_ms"],
        payload_bytes=row["payload_bytes"],
        step_us=float(step_us.mean()),
        memory_bytes=float(memory_bytes.mean()),
        process_bytes=float(runs["server_rss_before_bytes"].mean()),  # type: ignore[arg-type]
        step_draws=np.empty(0) if draws is None else drawn_means(step_us, draws),
        memory_draws=np.empty(0) if draws is None else drawn_means(memory_bytes, draws),
        request_bytes=request_bytes,
        empty_bytes=empty_bytes,
        news_bytes=news_bytes,
        message_bytes=message_bytes,
        busy=float(runs.select((pl.col("server_cpu_s") / pl.col("window_s")).mean()).item()),
        runs=len(each),
    )


def _message_bytes(runs: pl.DataFrame) -> float:
    """Return a message's JSON: what frames of whole sessions carried, for each delivery."""
    carried = pl.col("body_bytes").sum() / pl.col("all_deliveries").sum()
    return float(runs.filter(mode="ws").select(carried).item())


def _heads(log: Log, runs: pl.DataFrame, message_bytes: float) -> tuple[float, float, float]:
    """Return a poll's bytes without messages: request, empty answer, answer with news.

    An empty answer that nobody got is taken to be as long as one with news.
    """
    if runs["mode"][0] == "ws":
        return 0.0, 0.0, 0.0
    asked = log.requests.join(runs.select("run"), on="run")
    empty, news = (asked.filter(pl.col("status") == status) for status in (NO_CONTENT, OK))
    envelope = _mean(news, pl.col("bytes_down") - message_bytes * pl.col("messages"))
    empty_bytes = _mean(empty, pl.col("bytes_down"))
    return (
        _mean(asked.filter(pl.col("status") > 0), pl.col("bytes_up")),
        envelope if math.isnan(empty_bytes) else empty_bytes,
        empty_bytes if math.isnan(envelope) else envelope,
    )


def _mean(rows: pl.DataFrame, value: pl.Expr) -> float:
    return float(rows.select(value.mean()).item()) if rows.height else math.nan
