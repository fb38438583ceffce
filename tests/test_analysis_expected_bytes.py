"""Theory says how often heads are paid for; the log says what they take."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.expected_bytes import COLUMN, with_expected_bytes
from analysis.rows import rows, with_bytes
from analysis.summary import summarise
from clients.log import Log
from tests.made_log import BYTES, SETTINGS, made

QUICK = replace(SETTINGS, duration_s=10, clients=4)


def expected(log: Log) -> list[float | None]:
    return with_expected_bytes(log, rows(log, summarise(log)))[COLUMN].to_list()


def test_bytes_of_each_mode_are_near_what_is_spent(tmp_path: Path) -> None:
    log = made(tmp_path / "log", QUICK, trials=2)
    spent = with_bytes(rows(log, summarise(log)))["total"].to_list()
    assert expected(log) == pytest.approx(spent, rel=0.05)


def test_the_sum_of_both_ways_has_an_interval(tmp_path: Path) -> None:
    log = made(tmp_path / "log", QUICK, trials=3)
    for row in with_bytes(rows(log, summarise(log))).iter_rows(named=True):
        assert row["total_low"] <= row["total"] <= row["total_high"]
        assert row["link_high"] - row["link"] == pytest.approx(row["total_high"] - row["total"])


def test_heads_count_as_often_as_theory_has_requests(tmp_path: Path) -> None:
    log = made(tmp_path / "log", QUICK, trials=2)
    summary = summarise(log)
    asked = summary["theory_requests_per_client_s"][0] * QUICK.duration_s
    published = summary["messages"][0] / 2
    heads = sum(BYTES["short"]) * asked / published
    assert expected(log)[0] == pytest.approx(QUICK.payload_bytes + heads)


def test_without_a_websocket_nobody_knows_what_a_message_takes(tmp_path: Path) -> None:
    assert expected(made(tmp_path / "log", QUICK, trials=1, modes=("short", "long"))) == [None] * 2


def test_of_compressed_messages_nothing_is_expected(tmp_path: Path) -> None:
    log = made(tmp_path / "log", replace(QUICK, deflate=True), trials=1)
    assert expected(log) == [None] * 3


def test_without_a_warm_up_only_what_is_pushed_is_known(tmp_path: Path) -> None:
    log = made(tmp_path / "log", replace(QUICK, warmup_s=0), trials=1)
    early = replace(log, requests=log.requests.clear())
    short, long, pushed = expected(early)
    assert (short, long) == (None, None)
    assert pushed is not None
    assert pushed > QUICK.payload_bytes
