"""When it was measured is said with its day, and with both when there are two."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
from msgspec.structs import replace

from analysis.account import missing, moments, settings, void_runs, when
from analysis.collection import Collection, Member
from analysis.rows import rows
from analysis.summary import summarise
from clients.log import Run
from tests.made_log import SETTINGS, made

EVENING = datetime(2026, 11, 22, 22, 55, tzinfo=UTC)
FEW = replace(SETTINGS, duration_s=4, clients=2)


def test_a_day_is_named_once_and_two_days_both() -> None:
    said = moments(EVENING, EVENING + timedelta(minutes=10))
    assert said == "on 22 November 2026, 22:55 to 23:05 UTC"
    over = moments(EVENING, EVENING + timedelta(hours=2))
    assert over == "from 22 November 2026, 22:55 to 23 November 2026, 00:55 UTC"


def test_pauses_between_experiments_are_not_counted(tmp_path: Path) -> None:
    log = made(tmp_path / "log", FEW, trials=1)
    later = replace(log, runs=log.runs.with_columns(started_utc=pl.lit("2026-01-03T03:04:05Z")))
    first, last, minutes = when([log, later])
    assert (first.day, last.day) == (2, 3)
    assert minutes == 2 * (FEW.warmup_s + FEW.duration_s) / 60


def test_void_runs_are_counted_by_their_reason(tmp_path: Path) -> None:
    def spoil(run: Run) -> Run:
        late = "the publisher was late: p99 9 ms"
        lost = {"short": "3 deliveries lost", "long": "5 deliveries lost"}.get(run.mode)
        reasons = {
            "short": f"{late}; {lost}",
            "long": f"{late}; {lost}; the clients' loop was late: p99 20 ms",
        }
        return replace(run, valid=run.mode == "ws", void_because=reasons.get(run.mode, ""))

    log = made(tmp_path / "log", FEW, trials=1, spoil=spoil)
    found = void_runs("quick", log)
    assert found is not None
    assert (found["void"], found["runs"]) == (2, 3)
    assert found["because"] == (
        "the publisher was late (2), deliveries lost (2), the clients' loop was late (1)"
    )
    assert void_runs("quick", made(tmp_path / "good", FEW, trials=1)) is None


def test_missing_rows_are_a_reason_in_words(tmp_path: Path) -> None:
    reason = "only 3 of 5 deliveries are in the file: rows are missing"
    log = made(tmp_path / "log", FEW, trials=1,
               spoil=lambda run: replace(run, valid=False, void_because=reason))  # fmt: skip
    found = void_runs("quick", log)
    assert found is not None
    assert found["because"] == "not all deliveries are in the file (3)"


def test_of_a_crowd_it_is_said_how_many_were_measured(tmp_path: Path) -> None:
    many = replace(FEW, clients=5, sample_limit=2)
    log = made(tmp_path / "log", FEW, many, trials=1,
               spoil=lambda run: replace(run, crowd_clients=run.clients - 2))  # fmt: skip
    common = settings(rows(log, summarise(log)), log)["common"]
    assert common.startswith("at most 2 clients measured one by one, 2 messages/s")


def test_settings_say_what_varies(tmp_path: Path) -> None:
    log = made(tmp_path / "log", FEW, replace(FEW, rate_per_s=5, duration_s=3), trials=1)
    found = settings(rows(log, summarise(log)), log)
    assert found["varied"] == "messages per second: 2, 5"
    assert found["window"] == "3 to 4 s after 2 s"
    assert "messages/s" not in found["common"]


def test_of_a_collection_that_is_as_it_should_be_nothing_is_missing(tmp_path: Path) -> None:
    good = Member("quick", made(tmp_path / "log", FEW, trials=1))
    assert list(missing(Collection((good,), None, (), ()))) == []
