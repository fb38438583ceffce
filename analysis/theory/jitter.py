"""What a link that jitters makes of a way, and of a span between two polls. No mode here.

Whatever it carries takes up to J more, drawn evenly and anew each time; J/2 is in d and in R
already. A poll has both ways to itself, so that it waits behind nothing. What is pushed does not
overtake what was pushed before it.
"""

import math

import numpy as np

from analysis.theory.case import Case, Floats, fanout_places_s

WAYS, SPANS = 400, 100  # equally likely ones that stand for all
FEW_WAYS = 40  # each beside every span


def ways_s(case: Case, count: int = WAYS) -> Floats:
    """Return equally likely times of one way: from d - J/2 to d + J/2."""
    if case.jitter_s == 0:
        return np.array([case.transit_s])
    return np.asarray(case.transit_s + case.jitter_s * (_shares(count) - 0.5))


def ways_in_order_s(case: Case) -> Floats:
    """Return the same for a stream, of which nothing overtakes what left before it.

    What is given w comes as late as that if nothing that left a before it was given more than
    w + a. Of a Poisson process nothing was with chance e^(-lambda (J - w)^2 / 2J); of messages P
    apart, with the product of (w + kP)/J over all kP below J - w.
    """
    jitter_s = case.jitter_s
    if jitter_s == 0:
        return ways_s(case)
    given_s = np.linspace(0, jitter_s, 2 * WAYS + 1)
    if case.periodic:
        ahead_s = np.arange(1, math.ceil(case.rate_per_s * jitter_s) + 1) / case.rate_per_s
        alone = np.minimum(1, (given_s[:, np.newaxis] + ahead_s) / jitter_s).prod(axis=1)
    else:
        alone = np.exp(-case.rate_per_s * (jitter_s - given_s) ** 2 / (2 * jitter_s))
    took_s = np.interp(_shares(WAYS), given_s / jitter_s * alone, given_s)
    return np.asarray(case.transit_s - jitter_s / 2 + took_s)


def spans_s(case: Case, mean_s: float) -> Floats:
    """Return equally likely lengths of a span that holds a way down and the next way up.

    The jitter of the two makes it up to J shorter or longer: two uniform delays, a triangle.
    """
    if case.jitter_s == 0:
        return np.array([mean_s])
    share = _shares(SPANS)
    off = 1 - np.sqrt(2 * np.minimum(share, 1 - share))
    return np.asarray(np.maximum(0, mean_s + case.jitter_s * np.sign(share - 0.5) * off))


def rest_mean_s(spans: Floats) -> float:
    """Return how much of a span X is left, on average, for what falls into it: E[X^2]/(2 E[X]).

    It falls into a long one more often: the residual life of renewal theory.
    """
    return float((spans**2).mean() / (2 * spans.mean())) if spans.any() else 0.0


def rest_cdf(case: Case, spans: Floats, latency_s: Floats) -> Floats:
    """Return the share of deliveries for which the rest of a span, and a way, take `latency_s`.

    The rest of a span X stays within w with chance E[min(w, X)] / E[X].
    """
    waited = latency_s[:, np.newaxis] - ways_s(case, FEW_WAYS)
    if not spans.any():
        return np.asarray((waited >= 0).mean(axis=1))
    within = np.clip(waited[:, :, np.newaxis], 0, spans).mean(axis=(1, 2))
    return np.asarray(within / spans.mean())


def turns_s(case: Case, ways: Floats) -> Floats:
    """Return when each reader has a message, by its place in the fan-out and by its way."""
    every = np.add.outer(fanout_places_s(case), ways).ravel()
    if len(every) <= WAYS:
        return every
    return np.asarray(np.quantile(every, _shares(WAYS)))


def _shares(count: int) -> Floats:
    return (np.arange(count) + 0.5) / count
