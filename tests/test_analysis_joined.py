"""Runs of several experiments become one log, as far as they are of a kind."""

import polars as pl
import pytest
from matplotlib.figure import Figure
from msgspec.structs import replace
from polars.testing import assert_frame_equal

from analysis import collection_drawing
from analysis.charts.break_even import DISTANCE, INTERVAL, draw_map
from analysis.cheapest import cheapest
from analysis.joined import join
from analysis.modes import MODES
from analysis.runs import figures_of_runs
from clients.log import Log
from tests.made_log import SETTINGS, made
from tests.test_analysis_break_even import with_cpu

FEW = replace(SETTINGS, duration_s=6, clients=3)
RATES = [replace(FEW, rate_per_s=rate) for rate in (0.5, 2, 8)]
INTERVALS = [replace(FEW, interval_s=interval_s) for interval_s in (0.2, 0.5)]


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> list[Log]:
    folder = tmp_path_factory.mktemp("joined")
    odd = [replace(FEW, deflate=True), replace(FEW, keepalive=False), replace(FEW, clients=9)]
    several = (RATES, INTERVALS, odd)
    return [
        with_cpu(made(folder / str(place), *settings, trials=1))
        for place, settings in enumerate(several)
    ]


@pytest.fixture(scope="module")
def joined(logs: list[Log]) -> Log:
    log = join(logs)
    assert log is not None
    return log


def test_every_run_of_the_usual_kind_is_there_once(joined: Log) -> None:
    assert joined.runs["run"].to_list() == list(range(1, 3 * 5 + 1))
    assert joined.runs["clients"].unique().to_list() == [3]
    assert joined.runs["keepalive"].all()
    assert not joined.runs["deflate"].any()


def test_settings_of_different_experiments_are_different(joined: Log) -> None:
    settings = joined.runs.select("setting", "rate_per_s", "interval_s").unique()
    assert settings.height == joined.runs["setting"].n_unique() == 5


def test_a_joined_run_has_the_figures_that_it_had(logs: list[Log], joined: Log) -> None:
    names = ("mode", "rate_per_s", "interval_s", "latency_mean_ms", "requests_per_delivery")
    alone = pl.concat([figures_of_runs(log).select(names) for log in logs[:2]])
    together = figures_of_runs(joined).select(names)
    assert_frame_equal(together.sort(names), alone.sort(names))


def test_nothing_joins_nothing(logs: list[Log]) -> None:
    assert join([]) is None
    assert join([replace(logs[0], runs=logs[0].runs.clear())]) is None


@pytest.mark.parametrize("upward", [INTERVAL, DISTANCE], ids=["interval", "distance"])
def test_each_place_that_was_measured_is_a_dot_on_the_map(joined: Log, upward: object) -> None:
    row = joined.runs.row(0, named=True)
    figure = draw_map(joined, row, upward)  # type: ignore[arg-type]
    assert figure is not None
    colours = {line.get_color() for line in figure.axes[0].lines}
    places = [each for each in cheapest(joined, 100)
              if upward is INTERVAL or each.interval_s == row["interval_s"]]  # fmt: skip
    assert len(figure.axes[0].lines) == len(places)
    assert colours <= {mode.colour for mode in MODES.values()}


def test_a_map_is_shown_where_five_places_were_measured_and_their_costs_are_known(
    joined: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[float, object]] = []

    def draw(_: Log, row: dict[str, float], upward: object) -> Figure | None:
        drawn.append((row["interval_s"], upward))
        return figure

    monkeypatch.setattr(collection_drawing, "draw_map", draw)
    known = Figure()
    known.text(0, 0, "its title")
    figure: Figure | None = known
    assert [picture.name for picture in collection_drawing._maps(joined)] == ["break_even-0"]
    figure = None  # with costs that the runs leave in doubt
    assert list(collection_drawing._maps(joined)) == []
    assert drawn == [(1.0, INTERVAL)] * 2  # its usual one, of three
