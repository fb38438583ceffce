"""What a client costs the server in each mode, as an experiment measured it, run by run.

A step is a poll with its answer, or a push. All of the window's server time is theirs, so it holds
publishing and the process itself, which are little beside many clients.
"""

import math

import msgspec
import numpy as np
import polars as pl

from analysis.bootstrap import draw, drawn_means
from analysis.load_costs import LoadCosts, load_costs
from analysis.modes import MODES
from analysis.runs import NO_CONTENT, OK
from analysis.step_costs import counted
from analysis.theory import Floats
from clients.log import Log, LogError

LEAST_CLIENTS = 200
MAKE_ONE = "python -m clients quick --clients 1000 --rate 5 --duration-s 10"


class ClientCosts(msgspec.Struct, frozen=True):
    """What a client of one mode costs, and the setting at which that was measured.

    load: server time of a step, by how busy the server is; busy: how busy it was, least and most
    memory_bytes: of each connection, the mean over the runs; memory_draws: of each resample of
        them, empty when there is one; process_bytes: of a process before anyone connects
    request_bytes, empty_bytes, news_bytes: of a poll's head, and of answers without messages;
        0 for a WebSocket
    message_bytes: of a message's JSON; runs: of how many all this is
    """

    mode: str
    clients: int
    rate_per_s: float
    interval_s: float
    hold_s: float
    rtt_ms: float
    payload_bytes: int
    load: LoadCosts
    busy: tuple[float, float]
    memory_bytes: float
    memory_draws: Floats
    process_bytes: float
    request_bytes: float
    empty_bytes: float
    news_bytes: float
    message_bytes: float
    runs: int


def client_costs(log: Log) -> dict[str, ClientCosts]:
    """Return each mode's costs: of a client in its largest crowd, of a step in all of its loads.

    Raise LogError when a mode has no good run with LEAST_CLIENTS, saying how to make one.
    """
    runs = counted(log).filter(pl.col("clients") >= LEAST_CLIENTS, pl.col("messages") > 0)
    runs = runs.drop_nulls(["server_rss_before_bytes", "server_rss_bytes", "server_cpu_s"])
    lacking = [mode.name for key, mode in MODES.items() if key not in set(runs["mode"])]
    if lacking:
        raise LogError(
            f"no good run of {' and '.join(lacking)} has {LEAST_CLIENTS} clients or more, and a"
            f" server of its own: make one with `{MAKE_ONE}`"
        )
    generator = np.random.default_rng(log.experiment.seed)
    return {mode: _costs(log, runs, mode, generator) for mode in MODES}


def _costs(
    log: Log, all_runs: pl.DataFrame, mode: str, generator: np.random.Generator
) -> ClientCosts:
    runs = all_runs.filter(mode=mode)
    most = runs.filter(pl.col("clients") == pl.col("clients").max())
    row = most.row(0, named=True)
    runs = runs.filter(pl.col("payload_bytes") == row["payload_bytes"])
    pushed = all_runs.filter(pl.col("payload_bytes") == row["payload_bytes"], mode="ws")
    message_bytes = _message_bytes(all_runs.filter(mode="ws") if pushed.is_empty() else pushed)
    steps = pl.sum_horizontal("empty", "short_news", "long_news", "pushes")
    loads = runs.select(
        steps=steps / pl.col("window_s"), busy=pl.col("server_cpu_s") / pl.col("window_s")
    )
    repeated = bool(runs["setting"].is_duplicated().any())
    steps_per_s, busy = loads["steps"].to_numpy(), loads["busy"].to_numpy()
    grown = pl.col("server_rss_bytes") - pl.col("server_rss_before_bytes")
    memory = most.select(grown / pl.col("clients")).to_series().to_numpy()
    request_bytes, empty_bytes, news_bytes = _heads(log, runs, message_bytes)
    return ClientCosts(
        mode=row["mode"],
        clients=row["clients"],
        rate_per_s=row["rate_per_s"],
        interval_s=row["interval_s"],
        hold_s=row["hold_s"],
        rtt_ms=row["rtt_ms"],
        payload_bytes=row["payload_bytes"],
        load=load_costs(steps_per_s, busy, generator, repeated=repeated),
        busy=(float(busy.min()), float(busy.max())),
        memory_bytes=float(memory.mean()),
        memory_draws=_means(memory, generator),
        process_bytes=float(most["server_rss_before_bytes"].mean()),  # type: ignore[arg-type]
        request_bytes=request_bytes,
        empty_bytes=empty_bytes,
        news_bytes=news_bytes,
        message_bytes=message_bytes,
        runs=len(busy),
    )


def _means(each: Floats, generator: np.random.Generator) -> Floats:
    return drawn_means(each, draw(len(each), generator)) if len(each) > 1 else np.empty(0)


def _message_bytes(runs: pl.DataFrame) -> float:
    """Return a message's JSON: what frames of WebSockets' sessions carried, for each delivery."""
    carried = pl.col("body_bytes").sum() / pl.col("all_deliveries").sum()
    return float(runs.select(carried).item())


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
