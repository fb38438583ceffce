"""Theory of short polling: the client asks, is answered at once, waits, asks again.

The next poll starts an interval after the response, so the cycle is C = I + R. A message finds
the cycle at a random point and waits for its end: its latency is uniform on (d, d + C).
"""

import math

import numpy as np

from analysis.theory.case import Case, Floats


def cycle_s(case: Case) -> float:
    """Return the time from one poll to the next: C = I + R."""
    return case.interval_s + case.round_trip_s


def latency_mean_s(case: Case) -> float:
    """Return d + C/2."""
    return case.transit_s + cycle_s(case) / 2


def latency_quantile_s(case: Case, share: float) -> float:
    """Return d + qC, for q = `share`."""
    return case.transit_s + share * cycle_s(case)


def latency_cdf(case: Case, latency_s: Floats) -> Floats:
    """Return the share of deliveries that take at most `latency_s`: uniform on (d, d + C)."""
    if cycle_s(case) == 0:
        return np.asarray(latency_s >= case.transit_s, dtype=float)
    return np.clip((latency_s - case.transit_s) / cycle_s(case), 0, 1)


def requests_per_client_s(case: Case) -> float:
    """Return 1/C."""
    return 1 / cycle_s(case) if cycle_s(case) > 0 else math.inf


def empty_share(case: Case) -> float:
    """Return the chance of no message in a cycle: e^(-lambda C); 1 - lambda C if periodic."""
    expected = case.rate_per_s * cycle_s(case)
    return max(0.0, 1 - expected) if case.periodic else math.exp(-expected)
