"""Confidence intervals: the percentile bootstrap over runs. No log here, only numbers.

The run is what is drawn again, not the delivery: all clients of a run see the same messages, so
its deliveries are not independent. Efron and Tibshirani, An Introduction to the Bootstrap, 13.3.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Draws = NDArray[np.int64]

DRAWS = 2000
CONFIDENCE = 0.95
# In how many of 100 cases the interval of a mean over so many runs really holds it, if runs scatter
# normally: few runs show less than there is. Two runs span the mean in 50, as a coin would; the
# others are simulated in `tests/test_analysis_bootstrap.py`.
HOLDS = {2: 50, 3: 75, 4: 80, 5: 84, 6: 86, 7: 87, 8: 88, 10: 90, 15: 92, 20: 93, 30: 94}
# The same of how many times one mean is another over as many other runs, which scatter as much; if
# only one of the two scatters, HOLDS holds.
HOLDS_APART = {2: 67, 3: 80, 4: 85, 5: 88, 6: 89, 7: 90, 8: 91, 10: 92, 15: 93, 30: 94}
MOST_VALUES = 4000  # different values that a pooled percentile is looked for among


def mean_interval(per_run: Floats, generator: np.random.Generator) -> tuple[float, float] | None:
    """Return the interval of a mean over runs; None for fewer than two runs."""
    if len(per_run) < 2:
        return None
    return interval(drawn_means(per_run, draw(len(per_run), generator)))


def percentile_interval(
    runs: Sequence[Floats], share: float, generator: np.random.Generator
) -> tuple[float, float] | None:
    """Return the interval of a percentile of all runs' samples; None for fewer than two runs.

    runs: the samples of each, sorted
    """
    samples = [run for run in runs if len(run)]
    if len(samples) < 2:
        return None
    return interval(drawn_percentiles(samples, share, draw(len(samples), generator)))


def holds_of_100(runs: int, holds: dict[int, int] = HOLDS) -> int:
    """Return in how many of 100 cases an interval from so many runs holds; runs are 2 or more.

    holds: HOLDS of a mean, or HOLDS_APART of a ratio over so many runs of each
    """
    return holds[max(known for known in holds if known <= runs)]


def draw(runs: int, generator: np.random.Generator) -> Draws:
    """Return which runs each resample consists of: DRAWS rows of as many runs as there are."""
    return generator.integers(0, runs, size=(DRAWS, runs))


def drawn_means(per_run: Floats, draws: Draws) -> Floats:
    """Return the mean over runs of each resample."""
    return np.asarray(per_run[draws].mean(axis=1))


def drawn_percentiles(runs: Sequence[Floats], share: float, draws: Draws) -> Floats:
    """Return the percentile of each resample's pooled samples; no run is without samples.

    runs: each sorted. Of few runs many resamples consist of the same ones: each kind counts once.
    """
    values = _values(np.sort(np.concatenate(runs), kind="stable"))  # which merges what is sorted
    within = np.stack([np.searchsorted(run, values, side="right") for run in runs]).astype(float)
    kinds, kind_of = np.unique(np.sort(draws, axis=1), axis=0, return_inverse=True)
    times = np.stack([np.bincount(kind, minlength=len(runs)) for kind in kinds])
    reached = times @ within >= share * (times @ within[:, -1:])
    return np.asarray(values[reached.argmax(axis=1)][kind_of.ravel()])


def interval(statistics: Floats) -> tuple[float, float]:
    """Return between which ends CONFIDENCE of the resamples' statistics lie."""
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(statistics, [outside, 1 - outside])
    return float(low), float(high)


def _values(pooled: Floats) -> Floats:
    """Thin sorted samples, so that each resample costs the same however many there are."""
    if len(pooled) <= MOST_VALUES:
        return pooled
    places = np.linspace(0, len(pooled) - 1, MOST_VALUES).astype(np.int64)
    return np.asarray(pooled[places])
