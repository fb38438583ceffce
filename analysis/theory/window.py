"""What the ends of a window do to the polls that are counted in it, those that start there.

A window is short, and around it is not what is in it: the warm-up's last message comes L before
its start, the next message F after its end, and none between. No mode's own formula here.
"""

import math

import numpy as np

from analysis.theory.case import Case, Floats, none_chance

PLACES = 1000  # equally likely ones at which a poll may meet the window


def empty_cycles(case: Case, cycles: Floats) -> float:
    """Return the share of short polls that bring nothing, one each C.

    They reach the server a way up, R - d, after they start, at any moment alike. With L and F next
    to nothing it is (1 - C/D)^(lambda D + 1): a cycle without news lies whole within the window.
    """
    ends = _way_up_s(case) + case.window_s * (np.arange(PLACES) + 0.5) / PLACES
    begins = ends - cycles[:, np.newaxis]
    inside = np.minimum(ends, case.window_s) - np.maximum(begins, 0)
    apart = (begins >= -case.quiet_s) & (ends < case.window_s + case.farewell_s)
    return float((apart * none_chance(case, np.maximum(inside, 0))).mean())


def long_polls(case: Case, gaps: Floats, cycle_s: float) -> tuple[float, float]:
    """Return how many long polls a client starts in the window, and how many of them are empty.

    gaps: G, equally likely ones; cycle_s: E, of a window without ends

    Of the messages, (1 - S) / (lambda E) bring an answer, and the others come with one of these; S
    is the chance that neither gap nor hold brings news. After each answer a poll starts, and one
    more after each hold that ends.
    """
    messages, answers = case.rate_per_s * case.window_s, 1.0
    if not case.periodic:
        news = 1 - float(none_chance(case, gaps + case.hold_s).mean())
        answers = news / (case.rate_per_s * cycle_s)
    follow, empty = _holds(case, gaps[:, np.newaxis], messages)
    return answers * (messages + follow) + _at_the_ends(case, gaps), answers * empty


def _holds(case: Case, gaps: Floats, messages: float) -> tuple[float, float]:
    """Return polls that start because a hold ended, and polls that start and end so.

    The n messages part the window into n + 1 stretches; in one longer than k(G + T) a k-th hold
    ends. The first stretch begins Q early, and the poll that is out at the start is not counted;
    the poll that is out at the end hears the farewell.
    """
    rounds, back = gaps + case.hold_s, gaps - _way_up_s(case)
    most = math.ceil((case.window_s + case.answered_s) / rounds.min()) + 1
    ends: Floats = rounds * np.arange(1.0, most + 1)
    first = _none(case, ends - case.answered_s)
    between = (messages - 1) * _apart(case, ends)
    follow = first * (ends > case.answered_s) + between + _none(case, ends + back)
    empty = first * (ends - rounds + back > case.answered_s) + between + _none(case, ends)
    return float(follow.mean(axis=0).sum()), float(empty.mean(axis=0).sum())


def _at_the_ends(case: Case, gaps: Floats) -> float:
    """Return by how many the polls are more than in as long a part of a window without ends.

    A poll starts b = G - (R - d) after an answer. The warm-up's last answer is followed by one or
    two of the window if Q is less than b; and answers that follow each other every X, the first of
    them Y after the start, are (D - b - Y)/E[X] + E[X^2]/(2 E[X]^2) (renewal theory), where X is
    the gap or, if it is longer, the time to the next message: a Poisson process's, with holds
    that outlast it.
    """
    rate, quiet_s = case.rate_per_s, case.answered_s
    back = gaps - _way_up_s(case)
    early = float((quiet_s < back).mean() + (quiet_s < back - gaps).mean())
    if case.periodic:
        return early - rate * float(back.mean())
    mean_s = _longer_s(gaps, rate).mean()
    square = (gaps**2 + 2 * np.exp(-rate * gaps) * (gaps / rate + 1 / rate**2)).mean()
    first_s = _longer_s(np.maximum(0, gaps - quiet_s), rate).mean()
    return early + float(square / (2 * mean_s**2) - (back.mean() + first_s) / mean_s)


def _longer_s(spans: Floats, rate_per_s: float) -> Floats:
    """Return the mean of the longer of a span and the time to the next message."""
    return np.asarray(spans + np.exp(-rate_per_s * spans) / rate_per_s)


def _way_up_s(case: Case) -> float:
    return case.round_trip_s - case.transit_s


def _none(case: Case, spans: Floats) -> Floats:
    """Return the chance of no message between an end of the window and so long after or before."""
    return none_chance(case, np.maximum(spans, 0))


def _apart(case: Case, spans: Floats) -> Floats:
    """Return the chance that two messages lie further apart."""
    return np.asarray(case.rate_per_s * spans < 1) if case.periodic else _none(case, spans)
