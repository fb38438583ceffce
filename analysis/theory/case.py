"""What the formulas are fed: settings and unit costs, in seconds and rates. No formula here."""

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_PLACES = 200  # places in a fan-out that are told apart; more would not change a curve


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One mode in one setting, as theory sees it; the letter is the one in the formulas.

    clients: N, readers of every message
    rate_per_s: lambda, messages per second; periodic: evenly spaced, else a Poisson process
    interval_s: I, from a response to the next short poll
    hold_s: T, the longest the server keeps a long poll
    transit_s: d, one way through network and both programs
    round_trip_s: R, of a poll that is answered at once
    rearm_s: G, from a response leaving the server to the client's next long poll reaching it
    per_reader_s: c, server time for each reader of a message
    session_s: how long a WebSocket stays open
    jitter_s: J, up to so much the link may add each way; its mean, J/2, is in d and in R already
    on_schedule: short polls start at multiples of I, not I after the response
    """

    clients: int
    rate_per_s: float
    interval_s: float
    hold_s: float
    transit_s: float
    round_trip_s: float
    rearm_s: float
    per_reader_s: float
    session_s: float
    periodic: bool = False
    jitter_s: float = 0.0
    on_schedule: bool = False


def none_chance(case: Case, span_s: Floats) -> Floats:
    """Return the chance that no message falls into a span s: e^(-lambda s).

    Of a periodic source it is 1 - lambda s, and 0 where the span outlasts a period.
    """
    if case.periodic:
        return np.asarray(np.maximum(0, 1 - case.rate_per_s * span_s))
    return np.asarray(np.exp(-case.rate_per_s * span_s))


def fanout_mean_s(case: Case) -> float:
    """Return how long a message waits, on average, for its reader's turn: (N + 1) c / 2."""
    return (case.clients + 1) * case.per_reader_s / 2


def fanout_places_s(case: Case) -> Floats:
    """Return when each of the N readers gets its turn: c, 2c ... Nc (evenly thinned if many)."""
    places = min(case.clients, MOST_PLACES)
    return np.linspace(case.per_reader_s, case.clients * case.per_reader_s, places)
