"""Say how many bytes theory expects of a delivery: how often heads are paid for, it says itself.

What a head and a message take is the log's: heads of the polls that started before the window, a
message from the frames that carried it. A WebSocket's handshake is shared out among its session's
messages.
"""

from typing import Any

import polars as pl

from analysis.break_even import frame_head_bytes
from analysis.modes import MODES
from analysis.runs import KEYS, NO_CONTENT, OK, figures_of_runs, is_poll
from clients.log import Log

COLUMN = "theory_bytes_per_delivery"


def with_expected_bytes(log: Log, rows: pl.DataFrame) -> pl.DataFrame:
    """Add `theory_bytes_per_delivery`; null where the log does not tell heads or messages.

    rows: as `rows.rows` returns them
    """
    runs = figures_of_runs(log).filter("averaged", ~pl.col("deflate"))
    runs = runs.join(_json_bytes(log), on="payload_bytes")
    known = runs.group_by(KEYS).agg(
        pl.col("json_bytes").first(),
        rate=pl.col("messages").sum() / pl.col("window_s").sum(),
        opening_bytes=pl.col("handshake_bytes").sum() / pl.col("all_deliveries").sum(),
    )
    heads = known.join(_heads(log, runs), on=KEYS, how="left")
    joined = rows.join(heads, on=KEYS, how="left", maintain_order="left")
    expected = [_expected(row) for row in joined.iter_rows(named=True)]
    return rows.with_columns(pl.Series(COLUMN, expected, pl.Float64))


def _expected(row: dict[str, Any]) -> float | None:
    json_bytes: float | None = row["json_bytes"]
    if json_bytes is None or not row["rate"]:
        return None
    if MODES[row["mode"]].session:
        opening_bytes: float = row["opening_bytes"]
        return json_bytes + frame_head_bytes(json_bytes) + opening_bytes
    asked, empty = row["theory_requests_per_client_s"], row["theory_empty_share"]
    request_bytes, news_bytes = row["request_bytes"], row["news_bytes"]
    if asked is None or empty is None or request_bytes is None or news_bytes is None:
        return None
    empty_bytes = news_bytes if row["empty_bytes"] is None else row["empty_bytes"]
    answer_bytes = empty * empty_bytes + (1 - empty) * news_bytes
    of_polls: float = asked / row["rate"] * (request_bytes + answer_bytes)
    return json_bytes + of_polls


def _json_bytes(log: Log) -> pl.DataFrame:
    """Return a message's JSON by payload: what frames of WebSockets' sessions carried."""
    sessions = figures_of_runs(log).filter("averaged", ~is_poll(), ~pl.col("deflate"))
    carried = pl.col("body_bytes").sum() / pl.col("all_deliveries").sum()
    return sessions.group_by("payload_bytes").agg(json_bytes=carried)


def _heads(log: Log, runs: pl.DataFrame) -> pl.DataFrame:
    """Return a poll's bytes without messages: request, empty answer, answer with news."""
    about = runs.filter(is_poll()).select("run", *KEYS, "window_start_ns", "json_bytes")
    early = log.requests.lazy().join(about.lazy(), on="run")
    early = early.filter(pl.col("started_ns") < pl.col("window_start_ns"), pl.col("status") > 0)
    envelope = pl.col("bytes_down") - pl.col("messages") * pl.col("json_bytes")
    return (
        early.group_by(KEYS)
        .agg(
            request_bytes=pl.col("bytes_up").mean(),
            empty_bytes=pl.col("bytes_down").filter(pl.col("status") == NO_CONTENT).mean(),
            news_bytes=envelope.filter(pl.col("status") == OK).mean(),
        )
        .collect()
    )
