"""Theory of long polling: the client asks, is answered when there is news, asks again at once.

After each response the client is deaf for G, until its next poll is armed at the server. The
formulas come from the renewal cycle "gap, then armed until news or the end of the hold". Where the
link jitters, gaps vary; E[] is the mean over them.
"""

import math

import numpy as np

from analysis.theory.case import Case, Floats, fanout_mean_s, none_chance
from analysis.theory.jitter import rest_cdf, rest_mean_s, spans_s, turns_s, ways_s
from analysis.theory.quantile import quantile


def cycle_s(case: Case) -> float:
    """Return the mean time from one poll to the next: E = G + A/lambda."""
    if case.periodic:
        return _periodic_cycle_s(case)
    return case.rearm_s + armed_s(case)


def gaps_s(case: Case) -> Floats:
    """Return equally likely gaps."""
    return spans_s(case, case.rearm_s)


def armed_s(case: Case) -> float:
    """Return how much of a mean cycle the poll waits: A/lambda.

    A = E[e^(-lambda G)] (1 - e^(-lambda T)): it waits only if the gap brought no news, and then
    until news or the end of the hold.
    """
    rate = case.rate_per_s
    if rate == 0:
        return case.hold_s
    # expm1 is exact where lambda T is next to nothing, too
    return -float(np.exp(-rate * gaps_s(case)).mean()) * math.expm1(-rate * case.hold_s) / rate


def armed_share(case: Case) -> float:
    """Return f, the share of messages published while a poll is armed: A / (lambda G + A)."""
    if case.periodic:
        return 0.0 if _never_armed(case) else 1.0
    cycle = cycle_s(case)
    return armed_s(case) / cycle if cycle > 0 else 1.0


def latency_mean_s(case: Case) -> float:
    """Return d + f (N + 1)c/2 + (1 - f) E[G^2] / (2 E[G]): of gaps that are alike, G/2.

    The N polls that one message answers are answered one after another, hence (N + 1)c/2. A
    message that meets the gap is not: each reader has it as soon as its own next poll is there.
    """
    armed = armed_share(case)
    late_s = rest_mean_s(gaps_s(case))
    return case.transit_s + armed * fanout_mean_s(case) + (1 - armed) * late_s


def latency_quantile_s(case: Case, share: float) -> float:
    """Return the latency that `share` = q stay within.

    Without jitter and with c = 0 it is d + G max(0, (q - f) / (1 - f)).
    """
    longest = max(case.clients * case.per_reader_s, float(gaps_s(case).max()))
    way_s = case.transit_s + case.jitter_s / 2
    return quantile(lambda at: latency_cdf(case, at), share, 0, way_s + longest)


def latency_cdf(case: Case, latency_s: Floats) -> Floats:
    """Return the share of deliveries that take at most `latency_s`.

    With chance f a reader's turn in the fan-out and a way; else the rest of a gap and a way.
    """
    turns = turns_s(case, ways_s(case))
    armed = (latency_s[:, np.newaxis] >= turns).mean(axis=1)
    share = armed_share(case)
    return np.asarray(share * armed + (1 - share) * rest_cdf(case, gaps_s(case), latency_s))


def requests_per_client_s(case: Case) -> float:
    """Return 1/E."""
    return 1 / cycle_s(case) if cycle_s(case) > 0 else math.inf


def empty_share(case: Case) -> float:
    """Return the chance of neither gap nor hold bringing a message: E[e^(-lambda (G + T))]."""
    if case.periodic:
        return 0.0 if _never_armed(case) else 1 - 1 / (_holds_ended(case) + 1)
    return float(none_chance(case, gaps_s(case) + case.hold_s).mean())


# A periodic source of period P. While G < P each message meets an armed poll: latency d. Beyond
# that every gap brings news, polls are answered at once and follow each other every G, and the
# messages fall uniformly into the gaps: with G = 2d, mean 2d and maximum 3d. A link that makes
# some gaps shorter than P and others longer is taken for what the mean gap is.


def _never_armed(case: Case) -> bool:
    return case.rate_per_s * case.rearm_s >= 1


def _periodic_cycle_s(case: Case) -> float:
    if case.rate_per_s == 0:
        return case.rearm_s + case.hold_s
    if _never_armed(case):
        return case.rearm_s
    return 1 / case.rate_per_s / (_holds_ended(case) + 1)


def _holds_ended(case: Case) -> float:
    """Return holds that end without news between two messages.

    A message that meets the gap after such a hold is neglected: one in (G + T) / G.
    """
    if case.rate_per_s == 0:
        return math.inf
    return math.floor(1 / case.rate_per_s / (case.rearm_s + case.hold_s))
