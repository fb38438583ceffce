"""What few clients foretell is held against many; how near it comes, is nothing for a test."""

import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from clients.log import read
from tests.bench.prediction import commanded, predictions, table
from tests.made_log import SETTINGS, make_log

CROWD = replace(SETTINGS, clients=200, rate_per_s=20, interval_s=0.5, duration_s=2, warmup_s=0.5)
MORE = replace(CROWD, clients=400, rate_per_s=10, interval_s=1)


def test_predictions_stand_beside_each_run_of_the_many(tmp_path: Path) -> None:
    few, many = (
        read(make_log(tmp_path / name, [settings], trials=trials))
        for name, settings, trials in (("few", CROWD, 1), ("many", MORE, 2))
    )
    found = predictions(few, many)
    assert [each.figure for each in found] == ["cores", "MiB"] * 3
    assert all(len(each.measured) == 2 for each in found)
    (ratio,) = (each.ratio for each in found if (each.mode, each.figure) == ("ws", "cores"))
    assert ratio == pytest.approx(1, abs=0.2)
    assert list(table(found, many).columns[7].cells) == ["0"] * 6


def test_few_and_many_ask_as_often_together() -> None:
    few, many = (commanded(clients, 3, 11, Path("out")) for clients in (1000, 10_000))
    assert few[:2] == [sys.executable, "-m"]
    assert " ".join(few).endswith(
        "--clients 1000 --rate 3 --interval-s 1 --duration-s 20 --trials 3 --seed 11"
        " --sample-limit 20 --out out"
    )
    assert "--rate 0.3 --interval-s 10" in " ".join(many)
