from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from analysis.ratios import Ratio, Sample, ratio, samples
from clients.log import Run
from tests.made_log import SETTINGS, made

MEAN, P50, P99 = "latency_mean_ms", "latency_p50_ms", "latency_p99_ms"


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def sample(means: list[float], trials: range | None = None) -> Sample:
    """Return a sample whose runs have these means, and latencies around them."""
    spread = np.linspace(0.5, 1.5, 101)
    return Sample(
        tuple(trials or range(len(means))),
        {MEAN: np.array(means)},
        tuple(mean * spread for mean in means),
    )


def known(found: Ratio | None) -> tuple[float, float, float]:
    assert found is not None
    assert found.low is not None
    assert found.high is not None
    return found.low, found.value, found.high


def test_a_ratio_is_that_of_the_means_over_runs() -> None:
    _, value, _ = known(ratio(sample([20, 40]), sample([5, 10]), MEAN, generator()))
    assert value == 30 / 7.5


@pytest.mark.parametrize("figure", [MEAN, P50, P99])
@pytest.mark.parametrize("busy", [[1.0, 2.0], [1.0, 2.0, 4.0, 8.0]])  # how slow each trial was
def test_what_the_modes_of_a_trial_share_falls_out(figure: str, busy: list[float]) -> None:
    found = ratio(sample([3 * each for each in busy]), sample(busy), figure, generator())
    assert known(found) == pytest.approx((3, 3, 3))
    assert found is not None
    assert found.paired


@pytest.mark.parametrize(("figure", "share"), [(P50, 0.5), (P99, 0.99)])
def test_a_ratio_of_percentiles_is_that_of_all_runs_together(figure: str, share: float) -> None:
    one, other = sample([20, 40]), sample([5, 10])
    pooled = [np.quantile(np.concatenate(each.latencies_ms), share) for each in (one, other)]
    _, value, _ = known(ratio(one, other, figure, generator()))
    assert value == pytest.approx(pooled[0] / pooled[1])


def test_trials_are_paired_by_their_number_and_not_by_their_place() -> None:
    one, other = sample([6, 12, 24], range(1, 4)), sample([1, 2, 4, 8], range(4))
    low, _, high = known(ratio(one, other, MEAN, generator()))
    assert (low, high) == pytest.approx((3, 3))


@pytest.mark.parametrize("figure", [MEAN, P50])
def test_runs_without_a_common_trial_are_drawn_for_themselves(figure: str) -> None:
    one, other = sample([3, 6], range(2)), sample([1, 2], range(2, 4))
    found = ratio(one, other, figure, generator())
    low, _, high = known(found)
    assert (low, high) == pytest.approx((1.5, 6))
    assert found is not None
    assert not found.paired


def test_one_run_gives_a_ratio_without_an_interval() -> None:
    assert ratio(sample([6]), sample([2]), MEAN, generator()) == Ratio(3.0)
    assert ratio(sample([6]), sample([2, 2]), MEAN, generator(), pair=False) == Ratio(3.0)


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_nothing_is_no_multiple_of_nothing(nothing: float) -> None:
    assert ratio(sample([6, 6]), sample([2, nothing]), MEAN, generator()) is None
    assert ratio(sample([6, nothing]), sample([2, 2]), MEAN, generator()) is None


@pytest.mark.parametrize("latencies_ms", [[], [0.0, 1.0]])
def test_a_run_without_a_late_delivery_has_no_percentile_to_compare(
    latencies_ms: list[float],
) -> None:
    whole = sample([6, 6])
    lacking = replace(whole, latencies_ms=(whole.latencies_ms[0], np.array(latencies_ms)))
    assert ratio(whole, lacking, P50, generator()) is None
    assert ratio(lacking, whole, P50, generator()) is None


def test_latencies_below_a_millisecond_are_compared() -> None:
    _, value, _ = known(ratio(sample([0.2, 0.2]), sample([0.1, 0.1]), P50, generator()))
    assert value == pytest.approx(2)


def test_the_interval_covers_the_true_ratio_about_as_often_as_it_says() -> None:
    chance = np.random.default_rng(2)
    covered = 0
    for _ in range(200):
        one, other = chance.normal(20, 3, 30), chance.normal(10, 2, 30)
        found = ratio(sample(list(one)), sample(list(other)), MEAN, chance)
        low, _, high = known(found)
        covered += low <= 2 <= high
    assert 0.88 <= covered / 200 <= 0.99


def test_void_runs_are_not_in_a_sample(tmp_path: Path) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "ws" and run.trial > 0)

    found = samples(made(tmp_path / "log", replace(SETTINGS, duration_s=2), spoil=spoil))
    assert {key: each.trials for key, each in found.items()} == {
        (0, "short"): (1, 2),
        (0, "long"): (1, 2),
    }
