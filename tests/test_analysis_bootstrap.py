import numpy as np
import pytest

from analysis.bootstrap import (
    HOLDS,
    HOLDS_APART,
    Floats,
    _values,
    draw,
    drawn_means,
    drawn_percentiles,
    holds_of_100,
    interval,
    mean_interval,
    percentile_interval,
)


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def known(interval: tuple[float, float] | None) -> tuple[float, float]:
    assert interval is not None
    return interval


def test_one_run_has_no_interval() -> None:
    assert mean_interval(np.array([3.0]), generator()) is None
    assert percentile_interval([np.arange(1000.0)], 0.5, generator()) is None


def test_equal_runs_leave_no_doubt() -> None:
    assert mean_interval(np.full(5, 3.0), generator()) == (3.0, 3.0)


def test_interval_of_a_mean_is_that_of_the_normal_approximation_for_many_runs() -> None:
    runs = np.random.default_rng(1).normal(10, 2, 400)
    low, high = known(mean_interval(runs, generator()))
    half = 1.96 * runs.std() / 20
    assert (low, high) == pytest.approx((runs.mean() - half, runs.mean() + half), abs=0.03)


def test_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(2)
    drawn = [mean_interval(chance.exponential(1, 40), chance) for _ in range(200)]
    covered = sum(low <= 1 <= high for low, high in map(known, drawn))
    assert 0.87 <= covered / 200 <= 0.99


@pytest.mark.parametrize("runs", [2, 3, 4, 5, 8, 10])
def test_intervals_from_few_runs_hold_as_often_as_is_said(runs: int) -> None:
    chance = np.random.default_rng(runs)
    drawn = [mean_interval(chance.normal(0, 1, runs), chance) for _ in range(2500)]
    covered = sum(low <= 0 <= high for low, high in map(known, drawn))
    assert holds_of_100(runs) == pytest.approx(100 * covered / 2500, abs=2)


@pytest.mark.parametrize("runs", [2, 3, 5, 10])
def test_ratios_over_few_runs_of_two_experiments_hold_as_often_as_is_said(runs: int) -> None:
    chance = np.random.default_rng(runs)

    def drawn() -> Floats:
        return drawn_means(chance.normal(1, 0.05, runs), draw(runs, chance))

    ratios = [interval(drawn() / drawn()) for _ in range(2500)]
    covered = sum(low <= 1 <= high for low, high in ratios)
    assert holds_of_100(runs, HOLDS_APART) == pytest.approx(100 * covered / 2500, abs=2)


@pytest.mark.parametrize("holds", [HOLDS, HOLDS_APART])
def test_more_runs_hold_more_often_and_never_as_often_as_is_said(holds: dict[int, int]) -> None:
    assert list(holds.values()) == sorted(holds.values())
    assert holds_of_100(10_000, holds) < 95


def test_between_counts_of_runs_the_lesser_is_said() -> None:
    assert holds_of_100(9) == HOLDS[8]


def test_the_run_is_drawn_again_and_not_the_delivery() -> None:
    runs = [np.full(10_000, 1.0), np.full(10_000, 2.0)]
    assert percentile_interval(runs, 0.5, generator()) == (1.0, 2.0)


def test_a_percentile_of_alike_runs_is_sharp() -> None:
    chance = np.random.default_rng(3)
    runs = [np.sort(chance.uniform(0, 1, 20_000)) for _ in range(10)]
    low, high = known(percentile_interval(runs, 0.9, generator()))
    assert 0.88 < low < high < 0.92


def test_the_same_seed_gives_the_same_interval() -> None:
    runs = np.random.default_rng(1).normal(10, 2, 9)
    assert mean_interval(runs, generator()) == mean_interval(runs, generator())


def test_a_run_without_samples_is_not_a_run() -> None:
    assert percentile_interval([np.array([]), np.array([1.0])], 0.5, generator()) is None


def test_a_resamples_percentile_is_the_least_value_that_its_share_has_reached() -> None:
    runs = [np.array([1.0, 2, 3, 4]), np.array([10.0, 20])]
    draws = np.array([[1, 0], [0, 0], [1, 1]])
    assert drawn_percentiles(runs, 0.5, draws).tolist() == [3, 2, 10]
    assert drawn_percentiles(runs, 1.0, draws).tolist() == [20, 4, 20]


def test_many_samples_are_thinned_and_keep_their_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analysis.bootstrap.MOST_VALUES", 3)
    samples = np.arange(10.0)
    assert _values(samples).tolist() == [0, 4, 9]
    assert _values(samples[:2]).tolist() == [0, 1]
