"""Invert a distribution by halving, for latencies whose quantile has no closed form."""

from collections.abc import Callable

import numpy as np

from analysis.theory.case import Floats

HALVINGS = 60


def quantile(cdf: Callable[[Floats], Floats], share: float, low: float, high: float) -> float:
    """Return the least value between `low` and `high` where `cdf` reaches `share`."""
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if cdf(np.array([middle]))[0] >= share:
            high = middle
        else:
            low = middle
    return high
