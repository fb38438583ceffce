from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.unit_costs import unit_costs
from clients.log import Log
from tests.made_log import PER_READER_S, REARM_S, SETTINGS, STACK_S, TRANSIT_S, made


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return made(tmp_path_factory.mktemp("costs") / "log", trials=1)


def costs_of(log: Log, mode: str) -> dict[str, Any]:
    run = log.runs.filter(pl.col("mode") == mode)["run"][0]
    return unit_costs(log).filter(pl.col("run") == run).row(0, named=True)


@pytest.mark.parametrize("mode", ["long", "ws"])
def test_transit_and_cost_of_a_reader_come_from_the_spread_of_a_probe(log: Log, mode: str) -> None:
    costs = costs_of(log, mode)
    assert costs["transit_s"] == pytest.approx(TRANSIT_S)
    assert costs["per_reader_s"] == pytest.approx(PER_READER_S)


def test_short_polling_takes_its_transit_from_the_round_trip(log: Log) -> None:
    costs = costs_of(log, "short")
    assert costs["round_trip_s"] == pytest.approx(2 * TRANSIT_S)
    assert costs["transit_s"] == pytest.approx(TRANSIT_S)
    assert costs["per_reader_s"] == 0


def test_rearm_gap_runs_from_the_answer_to_the_next_poll_at_the_server(log: Log) -> None:
    middle_place = (SETTINGS.clients + 1) / 2
    expected = REARM_S + middle_place * PER_READER_S
    assert costs_of(log, "long")["rearm_s"] == pytest.approx(expected, abs=1e-6)


def test_only_long_polling_has_a_rearm_gap(log: Log) -> None:
    assert costs_of(log, "short")["rearm_s"] is None
    assert costs_of(log, "ws")["rearm_s"] is None


def test_the_first_of_two_probes_does_not_count(tmp_path: Path) -> None:
    log = made(tmp_path / "log", replace(SETTINGS, warmup_s=0.4, duration_s=2), trials=1)
    first = pl.col("published_ns") == pl.col("published_ns").min().over("run")
    slow = pl.col("received_ns") + pl.when(first).then(10**9).otherwise(0)
    spoilt = replace(log, deliveries=log.deliveries.with_columns(received_ns=slow))
    assert costs_of(spoilt, "ws") == costs_of(log, "ws")


def test_an_only_probe_counts(tmp_path: Path) -> None:
    log = made(tmp_path / "log", replace(SETTINGS, warmup_s=0.2, duration_s=2), trials=1)
    assert costs_of(log, "ws")["transit_s"] == pytest.approx(TRANSIT_S)


def test_message_that_follows_another_closely_does_not_count(log: Log) -> None:
    messages = log.deliveries.select("run", "message", "published_ns").unique()
    gap_ns = pl.col("published_ns").diff().over("run", order_by="published_ns")
    close = messages.filter(gap_ns < 30_000_000).with_columns(close=True)
    assert close.height > 0
    marked = log.deliveries.join(close, on=["run", "message"], how="left")
    slow = pl.col("received_ns") + pl.when(pl.col("close")).then(10**8).otherwise(0)
    spoilt = replace(log, deliveries=marked.with_columns(received_ns=slow).drop("close"))
    assert unit_costs(spoilt).equals(unit_costs(log))


def test_message_after_the_window_does_not_count(log: Log) -> None:
    windows = log.runs.select("run", "window_end_ns")
    marked = log.deliveries.join(windows, on="run")
    last = pl.col("message") == pl.col("message").max().over("run")
    moved = marked.with_columns(
        published_ns=pl.when(last).then(pl.col("window_end_ns") + 10**9).otherwise("published_ns"),
        received_ns=pl.when(last).then(pl.col("window_end_ns") + 10**10).otherwise("received_ns"),
    ).drop("window_end_ns")
    without = log.deliveries.filter(~last)
    assert costs_of(replace(log, deliveries=moved), "ws") == costs_of(
        replace(log, deliveries=without), "ws"
    )


def test_without_a_probe_the_costs_are_those_of_the_emulated_link(tmp_path: Path) -> None:
    log = made(tmp_path / "log", replace(SETTINGS, warmup_s=0, rtt_ms=100), trials=1)
    bare = replace(log, deliveries=log.deliveries.clear(), requests=log.requests.clear())
    costs = unit_costs(bare)
    assert costs["transit_s"].to_list() == [0.05] * 3
    assert costs["round_trip_s"].to_list() == [0.1] * 3
    assert costs["rearm_s"].to_list() == [None, 0.1, None]
    assert costs["per_reader_s"].to_list() == [0.0] * 3


def test_a_poll_that_opened_its_connection_is_not_a_round_trip(log: Log) -> None:
    first = pl.col("started_ns").min().over("run", "connection") == pl.col("started_ns")
    slow = pl.col("ended_ns") + pl.when(first).then(10**8).otherwise(0)
    spoilt = replace(log, requests=log.requests.with_columns(ended_ns=slow))
    assert costs_of(spoilt, "short") == costs_of(log, "short")


def test_a_measured_sample_stands_for_the_crowd_around_it(log: Log) -> None:
    crowd = 9 * SETTINGS.clients  # as many more among whom the measured ones are spread
    clients = SETTINGS.clients + crowd
    runs = log.runs.with_columns(clients=pl.lit(clients), crowd_clients=pl.lit(crowd))
    alone, among = costs_of(log, "ws"), costs_of(replace(log, runs=runs), "ws")
    mean_alone = alone["transit_s"] + (SETTINGS.clients + 1) / 2 * alone["per_reader_s"]
    mean_among = among["transit_s"] + (clients + 1) / 2 * among["per_reader_s"]
    assert mean_among == pytest.approx(mean_alone)
    assert among["per_reader_s"] == pytest.approx(
        alone["per_reader_s"] * (SETTINGS.clients + 1) / (clients + 1)
    )


def test_over_a_link_that_jitters_the_spread_of_a_probe_is_not_that_of_turns(
    tmp_path: Path,
) -> None:
    line = replace(SETTINGS, rtt_ms=40, jitter_ms=60, duration_s=60, warmup_s=30)
    log = made(tmp_path / "log", line, trials=1)
    way_s = TRANSIT_S + 0.02 + 0.03
    for mode in ("long", "ws"):
        assert costs_of(log, mode)["per_reader_s"] == 0
        assert costs_of(log, mode)["transit_s"] == pytest.approx(way_s, rel=0.05)
    assert costs_of(log, "short")["transit_s"] == pytest.approx(way_s, rel=0.05)
    assert costs_of(log, "long")["rearm_s"] == pytest.approx(2 * way_s + STACK_S, rel=0.05)


@pytest.mark.parametrize("jitter_ms", [0, 60])
def test_a_poll_that_opens_a_connection_takes_a_round_trip_more_without_jitter(
    tmp_path: Path, jitter_ms: float
) -> None:
    line = replace(SETTINGS, rtt_ms=40, jitter_ms=jitter_ms, keepalive=False, duration_s=60)
    line = replace(line, warmup_s=30)  # for enough polls before the window
    log = made(tmp_path / "log", line, trials=1)
    still_s = TRANSIT_S + 0.02
    round_trip_s = 4 * still_s + jitter_ms / 1e3
    for mode in ("short", "long"):
        costs = costs_of(log, mode)
        assert costs["transit_s"] == pytest.approx(still_s + jitter_ms / 2e3, rel=0.05)
        assert costs["round_trip_s"] == pytest.approx(round_trip_s, rel=0.05)
    assert costs_of(log, "long")["rearm_s"] == pytest.approx(round_trip_s + STACK_S, rel=0.05)


@pytest.mark.parametrize("hold_s", [0, 0.25])
def test_what_met_the_gap_says_nothing_of_it(tmp_path: Path, hold_s: float) -> None:
    line = replace(SETTINGS, rtt_ms=100, hold_s=hold_s, warmup_s=10, duration_s=2, clients=2)
    costs = costs_of(made(tmp_path / "log", line, trials=1), "long")
    assert costs["transit_s"] == pytest.approx(TRANSIT_S + 0.05, rel=0.03)
    assert costs["rearm_s"] == pytest.approx(REARM_S + 0.1, rel=0.05)
