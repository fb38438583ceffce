"""What the readers report: each its own requests and deliveries, on the server's clock.

A report is taken or refused with the reason; rows that are off the server's clock are left out of
it. What is kept is bounded (see rows.py).
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Annotated

import msgspec

from demo.classroom.lanes import MODES, Lane, Lanes
from demo.classroom.rows import MAX_DELIVERIES, MAX_REQUESTS, Rows
from demo.classroom.runs import Runs
from demo.classroom.settings import Mode, ReaderName
from demo.message import MAX_CURSOR, Nanoseconds
from demo.tally import Tally

MAX_REPORTED = 1000  # rows of each kind in one report
MAX_LATENCIES = 5000  # of each mode, for the overview
REPORTS_PER_S = 2.0
REPORTS_AT_ONCE = 10.0
APART_NS = 60_000_000_000  # stamps further than this from the server's life are not on its clock

Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
Number = Annotated[int, msgspec.Meta(ge=0, le=MAX_CURSOR)]  # pages count from their wall clock
Status = Annotated[int, msgspec.Meta(ge=0, le=599)]
Error = Annotated[float, msgspec.Meta(ge=0, le=1e6)]


class Request(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One request of the reader; status 0 when no answer came."""

    started_ns: Nanoseconds
    ended_ns: Nanoseconds
    status: Status
    messages: Count
    connection: Count


class Delivery(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """One message that reached the reader."""

    message: Count
    published_ns: Nanoseconds
    sent_ns: Nanoseconds
    received_ns: Nanoseconds


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader has done since its last report; `number` counts its reports, if it does."""

    reader: ReaderName
    mode: Mode
    clock_error_ms: Error | None = None
    requests: Annotated[list[Request], msgspec.Meta(max_length=MAX_REPORTED)] = []
    deliveries: Annotated[list[Delivery], msgspec.Meta(max_length=MAX_REPORTED)] = []
    number: Number | None = None


class TooOften(Exception):
    """A reader reports faster than any page does."""


class Reports:
    """Keep what is reported, in bounded tables."""

    def __init__(self, lanes: Lanes, runs: Runs, now_ns: Callable[[], int]) -> None:
        self.requests = Rows(7, MAX_REQUESTS)
        self.deliveries = Rows(6, MAX_DELIVERIES)
        self.latencies_ms: dict[Mode, deque[tuple[float, float]]] = {
            mode: deque(maxlen=MAX_LATENCIES) for mode in MODES
        }
        self._lanes = lanes
        self._heard = runs.heard
        self._now_ns = now_ns
        self._started_ns = now_ns()

    def take(self, report: Report) -> tuple[Lane, int]:
        """Keep a report of a reader that has read; raise ValueError, TooOften, or Unknown.

        Returns the reader, and how many rows were left out: those off this server's clock. Who
        catches up on what an earlier server wrote down has such, and cannot know it.
        """
        if any(row.ended_ns < row.started_ns for row in report.requests):
            raise ValueError("a request must not end before it starts")
        lane = self._lanes.known(report.reader, report.mode)
        now = asyncio.get_running_loop().time()
        _allow(lane, now)
        lane.seen_s = lane.reported_s = now
        lane.clock_error_ms = report.clock_error_ms
        lane.samples.append((now, report.mode, _copy(self._lanes.tally(lane, report.mode))))
        requests, deliveries = self._on_the_clock(report)
        if report.number is None or report.number > lane.report:
            lane.report = -1 if report.number is None else report.number
            self._keep(lane, report.mode, requests, deliveries, now)
        return lane, len(report.requests) + len(report.deliveries) - len(requests) - len(deliveries)

    def _on_the_clock(self, report: Report) -> tuple[list[Request], list[Delivery]]:
        first, last = self._started_ns - APART_NS, self._now_ns() + APART_NS

        def is_on(*stamps_ns: int) -> bool:
            return all(first <= stamp_ns <= last for stamp_ns in stamps_ns)

        return (
            [row for row in report.requests if is_on(row.started_ns, row.ended_ns)],
            [row for row in report.deliveries if is_on(row.published_ns, row.received_ns)],
        )

    def _keep(
        self,
        lane: Lane,
        mode: Mode,
        requests: list[Request],
        deliveries: list[Delivery],
        now: float,
    ) -> None:
        place = MODES.index(mode)
        for request in requests:
            self.requests.add((lane.number, place, *msgspec.structs.astuple(request)))
        for delivery in deliveries:
            self.deliveries.add((lane.number, place, *msgspec.structs.astuple(delivery)))
            latency_ms = (delivery.received_ns - delivery.published_ns) / 1e6
            self.latencies_ms[mode].append((now, latency_ms))
            self._heard(lane, mode, delivery.published_ns, latency_ms)


def _allow(lane: Lane, now: float) -> None:
    # A token bucket, as for publishing.
    tokens, then = lane.allowance
    tokens = min(REPORTS_AT_ONCE, tokens + (now - then) * REPORTS_PER_S)
    lane.allowance = (tokens - (tokens >= 1), now)
    if tokens < 1:
        raise TooOften(f"too fast: at most {REPORTS_PER_S:g} reports a second from one reader")


def _copy(tally: Tally) -> Tally:
    return msgspec.structs.replace(tally)
