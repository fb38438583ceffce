"""Say what each mode costs at any rate, interval and distance, from what one step of it costs.

Pure: the step costs come in, and how often each step is taken is the theory's to say.
"""

import math
from collections.abc import Callable, Sequence

import msgspec
import numpy as np

from analysis.theory import MODES, Case, Floats

SEGMENT_BYTES = 52  # of TCP/IPv4 headers with timestamps (RFC 791, 9293, 7323)
OPENING_BYTES = 60 + 60 + 52  # SYN and its answer carry more options (RFC 7323), then the ACK
SEGMENTS_TO_CLOSE = 4  # a FIN each way, and the acknowledgements of them
SEGMENTS_PER_POLL = 3  # request, response, and the acknowledgement of it
SEGMENTS_PER_PUSH = 2  # frame, and the acknowledgement of it


class Poll(msgspec.Struct, frozen=True):
    """What one poll costs: when it is empty, and when it brings news.

    request_bytes: of its head; empty_bytes, news_bytes: of a response without its messages
    """

    empty_us: float
    news_us: float
    request_bytes: float
    empty_bytes: float
    news_bytes: float


class StepCosts(msgspec.Struct, frozen=True):
    """What one step of each mode costs; heads and frames come on top of message_bytes.

    polls: by mode; push_us, frame_bytes: of one message on a WebSocket
    stack_s: the client's time from an answer to its next long poll
    off: by what share these costs usually miss a run's server time
    """

    polls: dict[str, Poll]
    push_us: float
    frame_bytes: float
    message_bytes: float
    stack_s: float = 0.0
    off: float = 0.0


class Point(msgspec.Struct, frozen=True):
    """Where costs are asked for: lambda, I, R and T."""

    rate_per_s: float
    interval_s: float
    round_trip_s: float
    hold_s: float = 25.0


Measure = Callable[[StepCosts, str, Point], float]


def frame_head_bytes(payload_bytes: float) -> int:
    """Return 2, 4 or 10: a server's frame head by its payload (RFC 6455, section 5.2)."""
    return 2 if payload_bytes <= 125 else 4 if payload_bytes <= 65535 else 10


def requests(costs: StepCosts, mode: str, point: Point) -> float:
    """Return requests per client and second; a WebSocket's only one, the upgrade, is past."""
    if mode not in costs.polls:
        return 0.0
    return MODES[mode].requests_per_client_s(_case(costs, point))


def cpu(costs: StepCosts, mode: str, point: Point) -> float:
    """Return the server's microseconds per client and second; publishing is left out."""
    if mode not in costs.polls:
        return point.rate_per_s * costs.push_us
    poll = costs.polls[mode]
    return _of_polls(costs, mode, point, poll.empty_us, poll.news_us)


def wire_bytes(costs: StepCosts, mode: str, point: Point) -> float:
    """Return bytes up and down per client and second that the programs hand to TCP and take."""
    messages = point.rate_per_s * costs.message_bytes
    if mode not in costs.polls:
        return messages + point.rate_per_s * costs.frame_bytes
    poll = costs.polls[mode]
    heads = (poll.request_bytes + poll.empty_bytes, poll.request_bytes + poll.news_bytes)
    return messages + _of_polls(costs, mode, point, *heads)


def link_bytes(costs: StepCosts, mode: str, point: Point) -> float:
    """Return the same with TCP's and IP's own headers."""
    if mode in costs.polls:
        segments = SEGMENTS_PER_POLL * requests(costs, mode, point)
    else:
        segments = SEGMENTS_PER_PUSH * point.rate_per_s
    return wire_bytes(costs, mode, point) + SEGMENT_BYTES * segments


def latency_mean_ms(costs: StepCosts, mode: str, point: Point) -> float:
    """Return the mean latency on an idle server."""
    return MODES[mode].latency_mean_s(_case(costs, point)) * 1e3


def _of_polls(costs: StepCosts, mode: str, point: Point, of_empty: float, of_news: float) -> float:
    """Return what polls cost per client and second: each empty one, and each with news."""
    case = _case(costs, point)
    empty = MODES[mode].empty_share(case)
    return MODES[mode].requests_per_client_s(case) * (empty * of_empty + (1 - empty) * of_news)


def _case(costs: StepCosts, point: Point) -> Case:
    return Case(
        clients=1,
        rate_per_s=point.rate_per_s,
        interval_s=point.interval_s,
        hold_s=point.hold_s,
        transit_s=point.round_trip_s / 2,
        round_trip_s=point.round_trip_s,
        rearm_s=point.round_trip_s + costs.stack_s,
        per_reader_s=0.0,
        session_s=math.inf,
    )


def over(
    measure: Measure, costs: StepCosts, mode: str, points: Sequence[Sequence[Point]]
) -> Floats:
    """Return the measure at each point of a grid, in its shape."""
    return np.array([[measure(costs, mode, point) for point in row] for row in points])


def crossing_rate(
    measure: Measure,
    costs: StepCosts,
    modes: tuple[str, str],
    point: Point,
    ends: tuple[float, float],
) -> float | None:
    """Return the rate beyond which the first mode costs less than the second.

    None when it does at the lower end already, or not even at the upper.
    """

    def dearer(rate_per_s: float) -> bool:
        here = msgspec.structs.replace(point, rate_per_s=rate_per_s)
        one, other = (measure(costs, mode, here) for mode in modes)
        return one >= other

    low, high = ends
    if not dearer(low) or dearer(high):
        return None
    while high / low > 1 + 1e-6:
        middle = math.sqrt(low * high)
        low, high = (middle, high) if dearer(middle) else (low, middle)
    return high
