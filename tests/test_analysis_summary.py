"""Tiny logs, worked by hand: what each column of the summary must be."""

import csv
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import asdict, replace

from analysis.runs import figures_of_runs
from analysis.summary import (
    COLUMNS,
    CONDITIONS,
    DIFFERENCES,
    INTERVALS,
    _aggregate,
    _difference_percent,
    summarise,
)
from clients.log import Delivery, Log, LogError, Request, Run, Writer, read
from tests.made_log import SETTINGS, made, make_log, without_polls

CONTRACT = """
mode, clients, rate_per_s, interval_s, hold_s, rtt_ms, payload_bytes, trials, messages, deliveries,
lost, duplicates, out_of_order, latency_mean_ms, latency_p50_ms, latency_p90_ms, latency_p99_ms,
latency_max_ms, requests, requests_per_client_s, requests_per_delivery, empty_share, connections,
bytes_up_per_delivery, bytes_down_per_delivery, server_cpu_us_per_delivery, server_kib_per_client,
theory_latency_mean_ms, theory_latency_p99_ms, theory_requests_per_client_s, theory_empty_share,
valid
"""
MS = 1_000_000
S = 1000 * MS
FIRST = {"window_start_ns": 10 * S, "window_end_ns": 20 * S}


def row(log: Log, mode: str = "short") -> dict[str, Any]:
    return summarise(log).filter(pl.col("mode") == mode).row(0, named=True)


def run(number: int, mode: str = "short", **facts: Any) -> Run:
    settings = replace(SETTINGS, clients=2, rate_per_s=0.3, interval_s=5, duration_s=10)
    facts = {"messages": 3, "published": 4, "valid": True} | FIRST | asdict(settings) | facts
    return Run(run=number, mode=mode, trial=number, setting=0, order=number, seed=1,
               started_utc="", **facts)  # fmt: skip


def poll(at_ms: int, status: int = 200, number: int = 0, client: int = 0) -> Request:
    start = 10 * S + at_ms * MS
    return Request(number, client, start, start + 2 * MS, status, int(status == 200), 100, 300, 0)


def delivery(
    at_ms: int, latency_ms: int, number: int = 0, client: int = 0, message: int = 1
) -> Delivery:
    at = 10 * S + at_ms * MS
    return Delivery(number, client, message, at, at, at, at + latency_ms * MS)


def written(folder: Path, *runs: tuple[Run, list[Request], list[Delivery]]) -> Log:
    """Write runs, each with its requests and deliveries, and read them."""
    make_log(folder, trials=0)
    for row, requests, deliveries in runs:
        Writer(folder).add(row, requests, deliveries)
    return read(folder)


@pytest.fixture
def short_log(tmp_path: Path) -> Log:
    polls = [poll(-1), poll(0), poll(1000, 204), poll(2000, 0), poll(5000), poll(10_000)]
    deliveries = [
        delivery(0, 9000),  # the warm-up's last
        delivery(1, 100),
        delivery(2, 300),
        delivery(10_000, 800),  # received after it, meant for it
        delivery(10_001, 9000),  # meant for a time after it
    ]
    return written(tmp_path / "log", (run(0, server_cpu_s=0.03), polls, deliveries))


def test_columns_are_those_of_the_contract_and_then_what_came_later(short_log: Log) -> None:
    later = [*INTERVALS, *CONDITIONS, *DIFFERENCES]
    assert summarise(short_log).columns == [*COLUMNS, *later]
    assert list(COLUMNS) == CONTRACT.replace(",", " ").split()


def test_deliveries_belong_to_the_window_that_their_message_was_meant_for(short_log: Log) -> None:
    assert row(short_log)["deliveries"] == 3
    assert row(short_log)["latency_mean_ms"] == 400
    assert row(short_log)["latency_max_ms"] == 800


def test_percentiles_are_those_of_the_deliveries(short_log: Log) -> None:
    assert row(short_log)["latency_p50_ms"] == 300
    assert row(short_log)["latency_p90_ms"] == pytest.approx(700)
    assert row(short_log)["latency_p99_ms"] == pytest.approx(790)


def test_requests_belong_to_the_window_by_their_start(short_log: Log) -> None:
    figures = row(short_log)
    assert figures["requests"] == 4
    assert figures["requests_per_client_s"] == 4 / (2 * 10)
    assert figures["requests_per_delivery"] == 4 / 3
    assert figures["bytes_up_per_delivery"] == pytest.approx(400 / 3)
    assert figures["bytes_down_per_delivery"] == 400


def test_a_request_without_an_answer_is_neither_empty_nor_full(short_log: Log) -> None:
    assert row(short_log)["empty_share"] == 1 / 3


def test_server_time_is_shared_among_the_deliveries(short_log: Log) -> None:
    assert row(short_log)["server_cpu_us_per_delivery"] == pytest.approx(10_000)


def test_what_was_not_measured_is_empty_and_not_zero(short_log: Log, tmp_path: Path) -> None:
    assert row(short_log)["server_kib_per_client"] is None
    summarise(short_log).write_csv(tmp_path / "summary.csv")
    with (tmp_path / "summary.csv").open() as file:
        figures = next(csv.DictReader(file))
    assert figures["server_kib_per_client"] == ""
    assert figures["latency_mean_ms_low"] == ""
    assert figures["valid"] == "true"


def test_memory_is_growth_for_each_client(tmp_path: Path) -> None:
    rss: dict[str, Any] = {"server_rss_before_bytes": 1024, "server_rss_bytes": 5 * 1024}
    log = written(tmp_path / "log", (run(0, **rss), [poll(0)], [delivery(0, 1)]))
    assert row(log)["server_kib_per_client"] == 2


def test_a_session_counts_whole_against_all_its_deliveries(tmp_path: Path) -> None:
    session = Request(0, 0, 5 * S, 25 * S, 101, 4, 1000, 2000, 0)
    deliveries = [delivery(at, 2, message=at) for at in (0, 1, 1000, 10_001)]
    log = written(tmp_path / "log", (run(0, "ws"), [session], deliveries))
    figures = row(log, "ws")
    assert figures["requests"] == 1
    assert figures["requests_per_client_s"] == 1 / 20
    assert figures["requests_per_delivery"] == 1 / 4
    assert figures["bytes_up_per_delivery"] == 250
    assert figures["bytes_down_per_delivery"] == 500
    assert figures["empty_share"] == 0
    assert figures["deliveries"] == 2
    assert figures["theory_requests_per_client_s"] == 1 / 20


def two_runs(folder: Path, **second: Any) -> Log:
    return written(
        folder,
        (run(0, connections=2, lost=1), [poll(0)], [delivery(1, 100)]),
        (
            run(1, connections=3, **second),
            [poll(0, number=1), poll(1, number=1)],
            [delivery(1, 200, 1), delivery(2, 400, 1), delivery(3, 600, 1)],
        ),
    )


def test_means_are_means_over_runs_and_percentiles_are_of_all_deliveries(tmp_path: Path) -> None:
    figures = row(two_runs(tmp_path / "log"))
    assert figures["latency_mean_ms"] == (100 + 400) / 2
    assert figures["latency_p50_ms"] == 300
    assert figures["requests_per_delivery"] == pytest.approx((1 + 2 / 3) / 2)
    assert (figures["trials"], figures["requests"], figures["deliveries"]) == (2, 3, 4)
    assert (figures["connections"], figures["lost"], figures["messages"]) == (5, 1, 6)


def test_an_interval_spans_the_runs(tmp_path: Path) -> None:
    figures = row(two_runs(tmp_path / "log"))
    assert (figures["latency_mean_ms_low"], figures["latency_mean_ms_high"]) == (100, 400)
    assert figures["latency_p50_ms_low"] == 100


@pytest.mark.parametrize("fault", [{"valid": False}, {"interrupted": True}])
def test_a_void_run_is_never_averaged_in(tmp_path: Path, fault: dict[str, bool]) -> None:
    figures = row(two_runs(tmp_path / "log", **fault))
    assert figures["latency_mean_ms"] == 100
    assert figures["trials"] == 1
    assert figures["valid"] is True


def test_runs_that_are_all_void_are_shown_as_such(tmp_path: Path) -> None:
    log = two_runs(tmp_path / "log", valid=False)
    log = replace(log, runs=log.runs.with_columns(valid=False))
    figures = row(log)
    assert figures["latency_mean_ms"] == 250
    assert figures["valid"] is False


def test_rows_of_a_run_that_never_ended_do_not_count(tmp_path: Path) -> None:
    log = written(tmp_path / "log", (run(0), [poll(0)], [delivery(1, 100)]))
    stray = Log(
        log.experiment,
        log.runs,
        log.requests,
        pl.concat([log.deliveries, log.deliveries.with_columns(run=pl.lit(9, pl.Int64))]),
    )
    assert row(stray)["deliveries"] == 1


def test_a_run_interrupted_before_its_window_has_no_figures(tmp_path: Path) -> None:
    facts: dict[str, Any] = {
        "window_start_ns": None,
        "window_end_ns": None,
        "interrupted": True,
        "messages": None,
    }
    figures = row(written(tmp_path / "log", (run(0, **facts), [poll(0)], [delivery(0, 1)])))
    assert figures["latency_mean_ms"] is None
    assert figures["requests_per_client_s"] is None
    assert figures["valid"] is False


def test_rows_stand_by_setting_and_in_the_order_of_the_modes(tmp_path: Path) -> None:
    settings = [replace(SETTINGS, interval_s=2, duration_s=2), replace(SETTINGS, duration_s=2)]
    log = made(tmp_path / "log", *settings, trials=1, modes=("ws", "short", "long"))
    summary = summarise(log)
    assert summary["mode"].to_list() == ["short", "long", "ws"] * 2
    assert summary["interval_s"].to_list() == [2, 2, 2, 1, 1, 1]


def test_a_log_without_runs_says_so(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no run"):
        summarise(read(make_log(tmp_path / "log", trials=0)))


def test_a_connection_for_each_poll_makes_the_cycle_a_round_trip_longer(tmp_path: Path) -> None:
    far = replace(SETTINGS, rtt_ms=300, keepalive=False, warmup_s=6, duration_s=400, clients=20)
    figures = row(made(tmp_path / "log", far, trials=1, modes=("short",)))
    assert figures["requests_per_client_s"] == pytest.approx(1 / (1 + 2 * 0.302), rel=0.01)
    for name, percent in {"latency_mean_ms": 3, "requests_per_client_s": 1}.items():
        assert abs(figures[f"{name}_theory_difference_percent"]) < percent, name


def test_a_difference_from_theory_is_in_per_cent_of_theory(short_log: Log) -> None:
    figures = row(short_log)
    expected = (figures["latency_mean_ms"] / figures["theory_latency_mean_ms"] - 1) * 100
    assert figures["latency_mean_ms_theory_difference_percent"] == pytest.approx(expected)


def test_beside_an_expectation_of_nothing_there_is_no_difference(tmp_path: Path) -> None:
    session = Request(0, 0, 5 * S, 25 * S, 101, 1, 1000, 2000, 0)
    log = written(tmp_path / "log", (run(0, "ws"), [session], [delivery(0, 2)]))
    assert row(log, "ws")["empty_share_theory_difference_percent"] is None


@pytest.mark.parametrize(
    ("name", "mode", "requests", "difference"),
    [
        ("empty_share", "short", 40, -50),  # eight empty responses expected, four of each reader
        ("empty_share", "short", 8, None),  # less than one of each
        ("latency_mean_ms", "ws", 1, -50),  # of which nothing depends on the requests
        ("requests_per_client_s", "long", 1, -50),
        ("requests_per_client_s", "ws", 1, None),  # one for each session is what a session is
    ],
)
def test_a_difference_stands_only_where_it_says_something(
    name: str, mode: str, requests: int, difference: float | None
) -> None:
    figures = {"mode": mode, "requests": requests, "readers": 2}
    row = pl.DataFrame([{**figures, name: 0.1, f"theory_{name}": 0.2}])
    ((found,),) = row.select(_difference_percent(name)).rows()
    assert found == difference


def test_nothing_is_no_share_of_an_expectation_of_nothing() -> None:
    row = pl.DataFrame([{"latency_mean_ms": 0.1, "theory_latency_mean_ms": 0.0}])
    assert row.select(_difference_percent("latency_mean_ms")).item() is None


def test_readers_are_those_that_are_not_only_counted(tmp_path: Path) -> None:
    one = run(0, clients=10, crowd_clients=7)
    log = written(tmp_path / "log", (one, [poll(0)], [delivery(0, 1)]))
    runs = figures_of_runs(log)
    assert _aggregate(runs, runs)["readers"].to_list() == [3]


def test_bytes_of_a_delivery_are_those_of_both_ways(short_log: Log) -> None:
    assert figures_of_runs(short_log)["bytes_per_delivery"].to_list() == [400 / 3 + 400]


def test_settings_that_came_later_have_columns_at_the_end(tmp_path: Path) -> None:
    odd = replace(SETTINGS, jitter_ms=3, kbit_per_s=9, stall_s=1, deflate=True, duration_s=2)
    figures = row(made(tmp_path / "log", odd, trials=1))
    assert (figures["jitter_ms"], figures["kbit_per_s"], figures["stall_s"]) == (3, 9, 1)
    assert (figures["deflate"], figures["keepalive"], figures["schedule"]) == (
        True,
        True,
        "poisson",
    )


def test_the_servers_time_is_shared_among_a_crowd_that_has_no_rows(tmp_path: Path) -> None:
    facts: dict[str, Any] = {"server_cpu_s": 0.03, "crowd_clients": 1, "crowd_window_deliveries": 2}
    log = written(tmp_path / "log", (run(0, **facts), [poll(0)], [delivery(1, 100)]))
    figures = row(log)
    assert figures["deliveries"] == 3
    assert figures["server_cpu_us_per_delivery"] == pytest.approx(10_000)
    assert figures["requests_per_client_s"] == 1 / (1 * 10)


def test_an_unknown_mode_says_so(tmp_path: Path) -> None:
    log = written(tmp_path / "log", (run(0, "pigeon"), [], []))
    with pytest.raises(LogError, match="pigeon"):
        summarise(log)


@pytest.mark.parametrize(
    "line", [{}, {"rtt_ms": 40, "jitter_ms": 60}, {"rtt_ms": 5, "jitter_ms": 100}]
)
def test_theory_agrees_with_a_simulated_experiment(tmp_path: Path, line: dict[str, float]) -> None:
    settings = replace(SETTINGS, clients=30, rate_per_s=5, duration_s=60, warmup_s=20, **line)
    summary = summarise(made(tmp_path / "log", settings, trials=1))
    pairs = {
        "latency_mean_ms": 0.03,
        "latency_p99_ms": 0.15,  # of long polling it rests on the few messages that met a gap
        "requests_per_client_s": 0.03,
        "empty_share": None,
    }
    for name, tolerance in pairs.items():
        measured, theory = summary[name].to_numpy(), summary[f"theory_{name}"].to_numpy()
        near: dict[str, Any] = {"rel": tolerance} if tolerance else {"abs": 0.01}
        assert measured == pytest.approx(np.array(theory), **near), name


def test_where_no_poll_fell_into_a_window_what_polls_cost_is_not_known(tmp_path: Path) -> None:
    log = made(tmp_path / "log", replace(SETTINGS, clients=1, duration_s=4), trials=2)
    figures = row(without_polls(log, "short"))
    assert figures["requests"] == 0
    for name in ("requests_per_client_s", "requests_per_delivery"):
        assert [figures[f"{name}{end}"] for end in ("", "_low", "_high")] == [None] * 3
    assert figures["bytes_up_per_delivery"] is figures["empty_share"] is None
    assert row(log)["requests_per_client_s"] > 0


def test_a_run_without_a_poll_in_its_window_counts_beside_one_with_some(tmp_path: Path) -> None:
    none, some = run(0), run(1)
    polled = (some, [poll(0, number=1), poll(5000, number=1)], [delivery(1, 100, number=1)])
    log = written(tmp_path / "log", (none, [], [delivery(1, 100)]), polled)
    assert row(log)["requests_per_client_s"] == (0 + 2 / 20) / 2


def test_of_a_run_that_was_interrupted_it_is_not_known_what_was_published(tmp_path: Path) -> None:
    stopped = run(0, interrupted=True, valid=False, messages=None, crowd_window_deliveries=None)
    figures = row(written(tmp_path / "log", (stopped, [poll(0)], [delivery(1, 100)])))
    assert figures["messages"] is figures["deliveries"] is None
    assert figures["latency_mean_ms"] == 100


def test_theory_knows_no_bandwidth(tmp_path: Path) -> None:
    narrow = replace(SETTINGS, kbit_per_s=256, duration_s=2, clients=2)
    expected = summarise(made(tmp_path / "log", narrow, trials=1)).select(
        pl.selectors.starts_with("theory_")
    )
    assert expected.null_count().row(0) == (3,) * expected.width
