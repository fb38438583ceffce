"""Confidence intervals: the percentile bootstrap over runs. No log here, only numbers.

The run is what is drawn again, not the delivery: all clients of a run see the same messages, so
its deliveries are not independent. Efron and Tibshirani, An Introduction to the Bootstrap, 13.3.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DRAWS = 2000
CONFIDENCE = 0.95
MOST_VALUES = 4000  # different values that a pooled percentile is looked for among


def mean_interval(per_run: Floats, generator: np.random.Generator) -> tuple[float, float] | None:
    """Return the interval of a mean over runs; None for fewer than two runs."""
    if len(per_run) < 2:
        return None
    return _interval(per_run[_draws(len(per_run), generator)].mean(axis=1))


def percentile_interval(
    runs: Sequence[Floats], share: float, generator: np.random.Generator
) -> tuple[float, float] | None:
    """Return the interval of a percentile of all runs' samples; None for fewer than two runs."""
    samples = [np.sort(run) for run in runs if len(run)]
    if len(samples) < 2:
        return None
    values = _values(np.sort(np.concatenate(samples)))
    within = np.stack([np.searchsorted(run, values, side="right") for run in samples])
    drawn = _draws(len(samples), generator)
    times = np.stack([np.bincount(draw, minlength=len(samples)) for draw in drawn])
    reached = times @ within >= share * (times @ within[:, -1:])
    return _interval(values[reached.argmax(axis=1)])


def _values(pooled: Floats) -> Floats:
    """Thin sorted samples, so that each resample costs the same however many there are."""
    if len(pooled) <= MOST_VALUES:
        return pooled
    places = np.linspace(0, len(pooled) - 1, MOST_VALUES).astype(np.int64)
    return np.asarray(pooled[places])


def _draws(runs: int, generator: np.random.Generator) -> NDArray[np.int64]:
    return generator.integers(0, runs, size=(DRAWS, runs))


def _interval(statistics: Floats) -> tuple[float, float]:
    outside = (1 - CONFIDENCE) / 2
    low, high = np.quantile(statistics, [outside, 1 - outside])
    return float(low), float(high)
