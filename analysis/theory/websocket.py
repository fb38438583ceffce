"""Theory of WebSocket: one connection stays open, and the server writes when there is news.

A message is written to N readers one after another, c seconds each. A message published
meanwhile waits: a queue with service time Nc, and load rho = lambda N c. A link that jitters keeps
each reader's messages in order; that those which queued leave closer together is neglected there.
"""

import math
from functools import lru_cache

import numpy as np

from analysis.theory.case import Case, Floats, fanout_mean_s
from analysis.theory.jitter import turns_s, ways_in_order_s
from analysis.theory.quantile import quantile

EXACT_SERVICES = 15  # beyond it the alternating sum loses digits, and the tail is geometric


def load(case: Case) -> float:
    """Return rho = lambda N c, the share of time that the server writes."""
    return case.rate_per_s * case.clients * case.per_reader_s


def latency_mean_s(case: Case) -> float:
    """Return d + (N + 1)c/2 + rho N c / (2 (1 - rho)); the last is the mean wait in M/D/1.

    Where the link jitters d is longer, by what messages wait for one another to arrive in order.
    """
    return float(ways_in_order_s(case).mean()) + fanout_mean_s(case) + _queue_mean_s(case)


def _queue_mean_s(case: Case) -> float:
    rho = load(case)
    if rho >= 1:
        return math.inf
    if case.periodic:
        return 0.0  # each message is written out before the next one comes
    return rho * case.clients * case.per_reader_s / (2 * (1 - rho))


def latency_quantile_s(case: Case, share: float) -> float:
    """Return the latency that `share` of deliveries stay within."""
    if load(case) >= 1:
        return math.inf
    service_s = case.clients * case.per_reader_s
    # Markov's inequality bounds the quantile of the wait.
    way_s = case.transit_s + case.jitter_s / 2
    longest = way_s + service_s + _queue_mean_s(case) / (1 - share)
    return quantile(lambda at: latency_cdf(case, at), share, 0, longest)


def latency_cdf(case: Case, latency_s: Floats) -> Floats:
    """Return the share of deliveries that take at most `latency_s`: way + place + wait."""
    waited = latency_s[:, np.newaxis] - turns_s(case, ways_in_order_s(case))
    if case.periodic or load(case) == 0:
        return np.asarray((waited >= 0).mean(axis=1))
    if load(case) >= 1:
        return np.zeros_like(latency_s)
    return np.asarray(_wait_cdf(waited, case).mean(axis=1))


def _wait_cdf(waited_s: Floats, case: Case) -> Floats:
    """Return the distribution of the wait in M/D/1 (Erlang 1909), its far tail geometric."""
    services = waited_s / (case.clients * case.per_reader_s)
    rho = load(case)
    last, decay = _tail(rho)
    near = services <= EXACT_SERVICES
    share = np.empty_like(services)
    share[near] = _erlang(services[near], rho)
    share[~near] = 1 - last * decay ** (services[~near] - EXACT_SERVICES)
    return share


@lru_cache(maxsize=1)  # a quantile asks for it at each of its steps
def _tail(rho: float) -> tuple[float, float]:
    """Return the share of waits beyond EXACT_SERVICES, and by what it falls with each further."""
    last, before = 1 - _erlang(np.array([EXACT_SERVICES, EXACT_SERVICES - 1.0]), rho)
    decay = np.clip(last / before, 0, 1) if before > 0 else 0.0
    return float(last), float(decay)


def _erlang(services: Floats, rho: float) -> Floats:
    """Return (1 - rho) sum over k up to x of (rho (k - x))^k / k! e^(-rho (k - x))."""
    total = np.zeros_like(services)
    for k in range(EXACT_SERVICES + 1):
        counts = services >= k
        left = rho * (k - services[counts])
        total[counts] += left**k / math.factorial(k) * np.exp(-left)
    return (1 - rho) * total


def requests_per_client_s(case: Case) -> float:
    """Return one request, the upgrade, for each session."""
    return 1 / case.session_s if case.session_s > 0 else math.inf


def empty_share(case: Case) -> float:
    """Return 0: the server writes only when there is news."""
    return 0.0
