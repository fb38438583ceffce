"""Theory of short polling: the client asks, is answered at once, waits, asks again.

The next poll starts an interval after the response, so the cycle is C = I + R; R holds a second
round trip where each poll opens a connection. On a fixed schedule a poll skips the moments at
which its predecessor is still out, so C = I ceil(R/I). A message finds the cycle at a random
point and waits for its end: its latency is uniform on (d, d + C). Where cycles vary, it falls
into a long one more often: mean d + E[C^2] / (2 E[C]), the residual life of renewal theory.
"""

import math

import numpy as np

from analysis.theory.case import Case, Floats, none_chance
from analysis.theory.quantile import quantile

CYCLES, TRANSITS = 100, 40  # equally likely ones that stand for all, where the link jitters


def cycle_s(case: Case) -> float:
    """Return the mean time from one poll to the next: C = I + R, or I ceil(R/I)."""
    if case.on_schedule and case.interval_s > 0:
        return case.interval_s * max(1, math.ceil(case.round_trip_s / case.interval_s))
    return case.interval_s + case.round_trip_s


def cycles_s(case: Case) -> Floats:
    """Return equally likely times from one poll to the next, as they reach the server.

    The jitter of the way down, and of the next poll's way up, make a cycle longer or shorter.
    """
    if case.jitter_s == 0:
        return np.array([cycle_s(case)])
    share = (np.arange(CYCLES) + 0.5) / CYCLES
    off = 1 - np.sqrt(2 * np.minimum(share, 1 - share))  # two uniform delays: a triangle
    return np.asarray(np.maximum(0, cycle_s(case) + case.jitter_s * np.sign(share - 0.5) * off))


def latency_mean_s(case: Case) -> float:
    """Return d + E[C^2] / (2 E[C]): d + C/2 where all cycles are alike."""
    cycles = cycles_s(case)
    if cycles.mean() == 0:
        return case.transit_s
    return case.transit_s + float((cycles**2).mean() / (2 * cycles.mean()))


def latency_quantile_s(case: Case, share: float) -> float:
    """Return d + qC, for q = `share`; without a closed form where the link jitters."""
    if case.jitter_s == 0:
        return case.transit_s + share * cycle_s(case)
    longest = case.transit_s + case.jitter_s / 2 + float(cycles_s(case).max())
    return quantile(lambda at: latency_cdf(case, at), share, 0, longest)


def latency_cdf(case: Case, latency_s: Floats) -> Floats:
    """Return the share of deliveries that take at most `latency_s`.

    The wait for the next poll stays within w with chance E[min(w, C)] / E[C].
    """
    cycles = cycles_s(case)
    waited = latency_s[:, np.newaxis] - _transits_s(case)
    if cycles.mean() == 0:
        return np.asarray((waited >= 0).mean(axis=1))
    within = np.clip(waited[:, :, np.newaxis], 0, cycles).mean(axis=(1, 2))
    return np.asarray(within / cycles.mean())


def _transits_s(case: Case) -> Floats:
    if case.jitter_s == 0:
        return np.array([case.transit_s])
    share = (np.arange(TRANSITS) + 0.5) / TRANSITS
    return np.asarray(case.transit_s + case.jitter_s * (share - 0.5))


def requests_per_client_s(case: Case) -> float:
    """Return 1/E[C]."""
    return 1 / cycle_s(case) if cycle_s(case) > 0 else math.inf


def empty_share(case: Case) -> float:
    """Return the chance of no message in a cycle: e^(-lambda C); 1 - lambda C if periodic.

    In a window of D that lambda D messages fall into: (1 - C/D)^(lambda D).
    """
    cycles = cycles_s(case)
    if case.periodic:
        return float(np.maximum(0, 1 - case.rate_per_s * cycles).mean())
    return float(none_chance(case, cycles).mean())
