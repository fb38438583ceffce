"""Theory of short polling: the client asks, is answered at once, waits, asks again.

The next poll starts an interval after the response, so the cycle is C = I + R; R holds a second
round trip where each poll opens a connection. On a fixed schedule a poll skips the moments at
which its predecessor is still out, so C = I ceil(R/I). A message finds the cycle at a random
point and waits for its end: its latency is uniform on (d, d + C). Where the link jitters, cycles
vary, and a message falls into a long one more often: mean d + E[C^2] / (2 E[C]).
"""

import math

from analysis.theory.case import Case, Floats, none_chance
from analysis.theory.jitter import rest_cdf, rest_mean_s, spans_s
from analysis.theory.quantile import quantile


def cycle_s(case: Case) -> float:
    """Return the mean time from one poll to the next: C = I + R, or I ceil(R/I)."""
    if case.on_schedule and case.interval_s > 0:
        return case.interval_s * max(1, math.ceil(case.round_trip_s / case.interval_s))
    return case.interval_s + case.round_trip_s


def cycles_s(case: Case) -> Floats:
    """Return equally likely times from one poll to the next, as they reach the server."""
    return spans_s(case, cycle_s(case))


def latency_mean_s(case: Case) -> float:
    """Return d + E[C^2] / (2 E[C]): d + C/2 where all cycles are alike."""
    return case.transit_s + rest_mean_s(cycles_s(case))


def latency_quantile_s(case: Case, share: float) -> float:
    """Return d + qC, for q = `share`; without a closed form where the link jitters."""
    if case.jitter_s == 0:
        return case.transit_s + share * cycle_s(case)
    longest = case.transit_s + case.jitter_s / 2 + float(cycles_s(case).max())
    return quantile(lambda at: latency_cdf(case, at), share, 0, longest)


def latency_cdf(case: Case, latency_s: Floats) -> Floats:
    """Return the share of deliveries that take at most `latency_s`: rest of a cycle, and a way."""
    return rest_cdf(case, cycles_s(case), latency_s)


def requests_per_client_s(case: Case) -> float:
    """Return 1/E[C]."""
    return 1 / cycle_s(case) if cycle_s(case) > 0 else math.inf


def empty_share(case: Case) -> float:
    """Return the chance of no message in a cycle: E[e^(-lambda C)]; 1 - lambda C if periodic."""
    return float(none_chance(case, cycles_s(case)).mean())
