"""The report's table of checks must come to the verdict that was made when a run ended."""

from typing import Any

import polars as pl
import pytest
from msgspec.structs import asdict, replace

from analysis.checked import COLUMNS, hold, overview
from clients import checks
from clients.checks import CHECKS, NO_LIMIT, Check, reasons
from clients.log import Run
from tests.test_clients_checks import SOUND

FAULTS: list[dict[str, Any]] = [
    {"interrupted": True},
    {"lost": 1},
    {"duplicates": 2},
    {"out_of_order": 3},
    {"publish_failures": 4},
    {"publisher_late_p99_ms": 1e4},
    {"client_lag_p99_ms": 11.0},
    {"client_cpu_share": 0.91},
    {"crowd_cpu_share": 0.91},
    {"link_cpu_share": 0.91},
    {"clock_apart_ms": 11.0},
    {"messages": 0},
    {"server_cpu_s": 1e3},
    {"server_requests": 10**6},
    {"server_deliveries": 10**6},
    {"server_bytes_in": 10**6},
    {"server_bytes_out": 10**6},
]


def failed(run: Run) -> list[str]:
    return [check.name for check in CHECKS if hold(check, run).failed]


def test_a_sound_run_passes_every_check() -> None:
    assert failed(SOUND) == reasons(SOUND) == []


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: next(iter(fault)))
def test_each_fault_fails_one_check_as_it_did_when_the_run_ended(fault: dict[str, Any]) -> None:
    run = replace(SOUND, **fault)
    assert len(failed(run)) == len(reasons(run)) == 1


def test_every_check_is_failed_by_some_fault() -> None:
    names = {name for fault in FAULTS for name in failed(replace(SOUND, **fault))}
    assert names == {check.name for check in CHECKS if check.limit != NO_LIMIT}


@pytest.mark.parametrize("rate_per_s", [0.2, 5.0, 1000.0])
def test_the_publishers_limit_follows_the_rate(rate_per_s: float) -> None:
    for late_ms in (4.9, 5.1, 9.9, 10.1, 249, 251):
        run = replace(SOUND, rate_per_s=rate_per_s, publisher_late_p99_ms=late_ms)
        assert len(failed(run)) == len(reasons(run))


def test_the_overview_gives_the_worst_figure_and_how_many_failed() -> None:
    runs = [SOUND, replace(SOUND, run=2, client_lag_p99_ms=12.0), replace(SOUND, run=3, lost=7)]
    lines = {line.name: line for line in overview(pl.DataFrame([asdict(run) for run in runs]))}
    lag, lost = lines["clients' event loop late, p99"], lines["deliveries lost"]
    assert (lag.worst, lag.limit, lag.failed) == ("12\u00a0ms", "at most 10\u00a0ms", 1)
    assert (lost.worst, lost.failed) == ("7", 1)
    assert lines["deliveries twice"].failed == 0


def test_what_was_not_measured_is_a_dash_and_does_not_fail() -> None:
    run = replace(SOUND, server_requests=None, crowd_cpu_share=None, server_cpu_s=None)
    texts = {check.name: hold(check, run) for check in CHECKS}
    assert texts["requests, clients and server apart"].text == "\u2013"
    assert not any(verdict.failed for verdict in texts.values())


def test_the_table_of_runs_shows_every_check_but_the_interruption_which_its_reason_names() -> None:
    shown = {check.name for _, checks in COLUMNS for check in checks}
    assert {check.name for check in CHECKS} - shown == {"interrupted"}


def test_a_check_is_one_entry_for_the_verdict_and_for_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = Check("late on a Friday", "Friday", lambda _: 3.0, "it was {} of run {run.run}")
    monkeypatch.setattr(checks, "CHECKS", (late,))
    monkeypatch.setattr("analysis.checked.CHECKS", (late,))
    (line,) = overview(pl.DataFrame([asdict(SOUND)]))
    assert (line.name, line.worst, line.failed) == ("late on a Friday", "3", 1)
    assert reasons(SOUND) == ["it was 3.0 of run 1"]


def test_checks_of_one_column_stand_together() -> None:
    heads = [column for column, _ in COLUMNS]
    assert len(heads) == len(set(heads))
