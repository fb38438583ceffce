"""Say on paper what a crowd of any size needs, from what a client of a measured one cost.

Pure: costs come in, and how often a client asks is the theory's to say. A client is taken to cost
what it cost in the measured crowd, at a server as busy. A long poll's gap grows with those who
share its process, since each asks again while the others are still answered.
"""

import math
from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from analysis.bootstrap import interval
from analysis.break_even import (
    SEGMENT_BYTES,
    SEGMENTS_PER_POLL,
    SEGMENTS_PER_PUSH,
    frame_head_bytes,
)
from analysis.client_costs import ClientCosts
from analysis.theory import MODES, Case, Floats

GIB = 2**30
UP_PER_POLL = 2  # of a poll's segments: the request, and the acknowledgement of the answer
UP_PER_PUSH = 1
ROUNDS = 60  # of a fixed point that halves its error with each


class Wish(msgspec.Struct, frozen=True):
    """Who is to be served: letters as in `Case`; None is what was measured.

    utilisation: the share of a core's time that may be spent
    server_cores, server_gib: what one server has
    """

    clients: int = 1_000_000
    rate_per_s: float | None = None
    interval_s: float | None = None
    hold_s: float | None = None
    rtt_ms: float | None = None
    payload_bytes: int | None = None
    utilisation: float = 0.6
    server_cores: int = 4
    server_gib: float = 16.0


class Amount(msgspec.Struct, frozen=True):
    """A figure, and between which ends it lies with 95 % confidence, where runs say so."""

    value: float
    ends: tuple[float, float] | None = None


class Need(msgspec.Struct, frozen=True):
    """What one mode needs.

    requests_per_s: 0 once WebSockets are open; busy_cores: core-seconds a second
    cores: so many that each is busy for the share that was wished, and as many processes
    up_bytes_per_s, down_bytes_per_s: with TCP/IP's own headers
    latency_mean_s: from publish to the reader, by theory, where so many share a process
    """

    mode: str
    clients: int
    requests_per_s: float
    deliveries_per_s: float
    busy_cores: Amount
    cores: Amount
    memory_gib: Amount
    up_bytes_per_s: float
    down_bytes_per_s: float
    servers: Amount
    latency_mean_s: float


def need(costs: ClientCosts, wish: Wish) -> Need:
    """Return what the mode needs for the crowd that is wished for."""
    case = _case(costs, wish)
    asked = MODES[costs.mode].requests_per_client_s(case)
    steps_per_s = wish.clients * (asked or case.rate_per_s)
    step_us = costs.load.at(steps_per_s, wish.utilisation)
    busy = [np.atleast_1d(steps_per_s * each / 1e6) for each in step_us]
    cores = [np.ceil(each / wish.utilisation) for each in busy]
    memory = [
        (wish.clients * each + processes * costs.process_bytes) / GIB
        for each, processes in _paired(np.array([costs.memory_bytes]), costs.memory_draws, cores)
    ]
    servers = [
        np.maximum(np.ceil(gib / wish.server_gib), np.ceil(processes / wish.server_cores))
        for gib, processes in _paired(memory[0], memory[1], cores)
    ]
    up, down = _bytes_per_client_s(costs, wish, case, asked)
    return Need(
        mode=costs.mode,
        clients=wish.clients,
        requests_per_s=wish.clients * asked,
        deliveries_per_s=wish.clients * case.rate_per_s,
        busy_cores=_amount(busy),
        cores=_amount(cores),
        memory_gib=_amount(memory),
        up_bytes_per_s=wish.clients * up,
        down_bytes_per_s=wish.clients * down,
        servers=_amount(servers),
        latency_mean_s=MODES[costs.mode].latency_mean_s(case),
    )


def _case(costs: ClientCosts, wish: Wish) -> Case:
    """Return the mode's case: so many share a process as keep it busy for the share wished."""
    rtt_s = _wished(wish.rtt_ms, costs.rtt_ms) / 1e3
    case = Case(
        clients=1,
        rate_per_s=_wished(wish.rate_per_s, costs.rate_per_s),
        interval_s=_wished(wish.interval_s, costs.interval_s),
        hold_s=_wished(wish.hold_s, costs.hold_s),
        transit_s=rtt_s / 2,
        round_trip_s=rtt_s,
        rearm_s=rtt_s,
        per_reader_s=0.0,
        session_s=math.inf,
    )
    return _shared(costs, wish, case)


def _wished(wish: float | None, measured: float) -> float:
    return measured if wish is None else wish


def _shared(costs: ClientCosts, wish: Wish, case: Case) -> Case:
    """Return the case with N clients to a process, and what follows from that.

    A push takes c. So does a long poll's step, its answer and its asking again, since who has been
    answered asks while the others wait for their turn: on average so many are served before. What
    comes meanwhile comes with the same answer, as in a gap: G = R + Nc/2. A short poll waits for
    none.
    """
    if costs.mode == "ws":
        sharing, step_s = _sharing(costs, wish, case.rate_per_s)
        return msgspec.structs.replace(case, clients=sharing, per_reader_s=step_s)
    if costs.mode == "short":
        return case
    asked = MODES[costs.mode].requests_per_client_s(case)
    for _ in range(ROUNDS):  # the gap makes the cycle, and the cycle who can share a process
        sharing, step_s = _sharing(costs, wish, asked)
        case = msgspec.structs.replace(
            case,
            clients=sharing,
            per_reader_s=step_s,
            rearm_s=case.round_trip_s + sharing * step_s / 2,
        )
        asked = (asked + MODES[costs.mode].requests_per_client_s(case)) / 2
    return case


def _sharing(costs: ClientCosts, wish: Wish, steps_per_client_s: float) -> tuple[int, float]:
    """Return how many clients share a process, as busy as it may be, and the time of a step."""
    step_us, _ = costs.load.at(wish.clients * steps_per_client_s, wish.utilisation)
    most = wish.utilisation / (steps_per_client_s * step_us / 1e6)
    return min(wish.clients, max(1, math.floor(most))), step_us / 1e6


def _bytes_per_client_s(
    costs: ClientCosts, wish: Wish, case: Case, asked: float
) -> tuple[float, float]:
    more = _wished(wish.payload_bytes, costs.payload_bytes) - costs.payload_bytes
    message = costs.message_bytes + more
    messages = case.rate_per_s * message
    if not asked:  # pushed
        acknowledged = UP_PER_PUSH * SEGMENT_BYTES * case.rate_per_s
        framed = (SEGMENTS_PER_PUSH - UP_PER_PUSH) * SEGMENT_BYTES + frame_head_bytes(message)
        return acknowledged, messages + framed * case.rate_per_s
    empty = MODES[costs.mode].empty_share(case)
    answer = empty * costs.empty_bytes + (1 - empty) * costs.news_bytes
    up = costs.request_bytes + UP_PER_POLL * SEGMENT_BYTES
    down = answer + (SEGMENTS_PER_POLL - UP_PER_POLL) * SEGMENT_BYTES
    return asked * up, asked * down + messages


def _paired(
    value: Floats, draws: Floats, others: Sequence[Floats]
) -> Iterator[tuple[Floats, Floats]]:
    """Pair the values of two figures, and their draws, where both have some."""
    yield value, others[0]
    yield (draws, others[1]) if len(draws) == len(others[1]) else (np.empty(0), np.empty(0))


def _amount(of: Sequence[Floats]) -> Amount:
    value, draws = of
    return Amount(float(value[0]), interval(draws) if len(draws) else None)
