from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.runs import figures_of_runs
from tests.made_log import BYTES, SETTINGS, made

SHORT = replace(SETTINGS, duration_s=4, clients=4)


def test_a_messages_bytes_count_where_the_message_does(tmp_path: Path) -> None:
    log = made(tmp_path / "log", SHORT, trials=2, modes=("short",))
    runs = figures_of_runs(log)
    heads = pl.col("window_requests") / pl.col("window_deliveries") * BYTES["short"][1]
    expected = runs.select(heads + SHORT.payload_bytes).to_series()
    assert (runs["brought"] != runs["window_deliveries"]).all()
    assert runs["bytes_down_per_delivery"].to_list() == pytest.approx(expected.to_list())


def test_bytes_are_left_alone_where_every_answer_brings_as_many(tmp_path: Path) -> None:
    log = made(tmp_path / "log", SHORT, trials=2, modes=("short",))
    alike = replace(log, requests=log.requests.with_columns(messages=pl.lit(1, pl.Int64)))
    inside = pl.col("started_ns").is_between("window_start_ns", "window_end_ns", closed="left")
    there = log.requests.join(log.runs, on="run").filter(inside).group_by("run")
    bytes_down = there.agg(pl.col("bytes_down").sum()).sort("run")["bytes_down"]
    runs = figures_of_runs(alike).sort("run")
    expected = (bytes_down / runs["window_deliveries"]).to_list()
    assert runs["bytes_down_per_delivery"].to_list() == expected
