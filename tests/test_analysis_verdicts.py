"""Which mode was best where is told from the figures, and only where all three have some."""

from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.modes import MODES
from analysis.rows import rows
from analysis.summary import summarise
from analysis.verdicts import SITUATIONS, situations, verdicts
from analysis.wins import MEASURES, Contest, contests
from clients.log import Run
from clients.scenarios import SCENARIOS
from tests.made_log import SETTINGS, made

FEW = replace(SETTINGS, duration_s=6, clients=3)
P50 = MEASURES[0]


def contest(label: str = "", **p50_ms: float) -> Contest:
    """Return a contest in which every figure of a mode is the same; label: of how many messages."""
    rate = {"rate_per_s": float(label.split(maxsplit=1)[0])} if label else {}
    figures = [measure.column for measure in MEASURES]
    rows = {mode: dict.fromkeys(figures, p50_ms[mode]) | rate for mode in MODES}
    return Contest("rate", label, rows)


@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    folder = tmp_path_factory.mktemp("verdicts") / "log"
    log = made(folder, *(replace(FEW, interval_s=interval_s) for interval_s in (0.2, 1)), trials=1)
    return rows(log, summarise(log))


def test_each_interval_is_a_contest_with_the_modes_that_know_none(sweep: pl.DataFrame) -> None:
    once = sweep.filter((pl.col("mode") == "short") | (pl.col("interval_s") == 1))
    found = list(contests("interval", once))
    assert [each.label for each in found] == ["interval 0.2 s", "interval 1 s"]
    assert {each.rows["ws"]["interval_s"] for each in found} == {1.0}
    assert all(each.winner(P50) in {"ws", "long", None} for each in found)


def test_a_mode_without_a_good_run_makes_no_contest(tmp_path: Path) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "long")

    log = made(tmp_path / "log", FEW, trials=1, spoil=spoil)
    assert list(contests("quick", rows(log, summarise(log)))) == []


def test_figures_that_are_nearly_alike_have_no_winner() -> None:
    assert contest(short=100, long=1.04, ws=1).winner(P50) is None
    assert contest(short=100, long=1.06, ws=1).winner(P50) == "ws"


@pytest.mark.parametrize(("second_low", "winner"), [(1.3, None), (1.5, "ws")])
def test_figures_whose_intervals_meet_have_no_winner(second_low: float, winner: str | None) -> None:
    close = contest(short=100, long=2, ws=1)
    close.rows["ws"][f"{P50.column}_high"] = 1.4
    close.rows["long"][f"{P50.column}_low"] = second_low
    assert close.winner(P50) == winner


def test_figures_that_are_nearly_alike_have_no_loser_either() -> None:
    alike = contest(short=100.1, long=100, ws=1)
    assert alike.loser(P50) is None
    assert alike.better_poll(P50) is None
    apart = contest(short=110, long=100, ws=1)
    assert (apart.loser(P50), apart.better_poll(P50)) == ("short", "long")


def test_what_was_too_little_to_be_measured_is_not_ranked() -> None:
    assert contest(short=2, long=1, ws=0).ranking(P50) == []
    list(verdicts([contest(short=2, long=1, ws=-1)]))


def test_where_a_mode_is_seldom_best_is_named() -> None:
    often = [contest(f"{n} messages/s", short=9, long=2, ws=1) for n in range(3)]
    said = dict(verdicts([*often, contest("50 messages/s", short=1, long=3, ws=2)]))
    assert said["short"].startswith("shortest latency at 1 of 4 settings (rate at 50 messages/s); ")
    assert said["ws"].startswith("shortest latency at 3 of 4 settings; ")
    assert "; but the longest latency at 3, with up to 9.0\u00a0times the best" in said["short"]
    assert said["long"].startswith("best figure nowhere")


def test_the_polls_are_held_against_each_other() -> None:
    said = dict(verdicts([contest(short=9, long=2, ws=1), contest(short=1, long=3, ws=2)]))
    assert (
        "Of the two that poll it has the shortest latency at 1 of 2, the fewest bytes "
        in said["long"]
    )
    assert "Of the two that poll" not in said["short"]


def test_a_situation_names_the_best_and_what_the_others_take() -> None:
    quiet, busy = contest("0.1", short=9, long=2, ws=1), contest("50", short=1, long=3, ws=2)
    found = {each.name: each for each in situations([quiet, busy])}
    assert found["A busy feed"].label == "50"
    best = found["A busy feed"].best[0]
    assert best is not None
    assert best.modes == ("short",)
    assert best.others == ("WebSocket 2.0\u00a0times", "long polling 3.0\u00a0times")
    assert "A crowd" not in found


def test_a_situation_whose_figures_are_not_ranked_names_nobody() -> None:
    (quiet,) = situations([contest("0.1", short=2, long=1, ws=0)])
    assert set(quiet.best) == {None}


def test_a_setting_that_was_not_measured_is_no_situation() -> None:
    middle = contest("5 messages/s", short=9, long=2, ws=1)
    assert situations([middle]) == []
    busy = contest("50 messages/s", short=9, long=2, ws=1)
    assert [each.label for each in situations([middle, busy, middle])] == ["50 messages/s"]


def test_every_situation_is_one_of_its_scenario_as_it_is() -> None:
    for known in SITUATIONS:
        points = SCENARIOS[known.scenario].points
        figures = [getattr(point.settings, known.number) for point in points]
        assert known.least <= sorted(figures)[known.place] <= known.most, known.name


def test_modes_that_are_alike_are_both_named_as_best() -> None:
    (busy,) = situations([contest("50", short=9, long=1.02, ws=1)])
    best = busy.best[0]
    assert best is not None
    assert best.modes == ("ws", "long")
    assert best.others == ("short polling 9.0\u00a0times",)
