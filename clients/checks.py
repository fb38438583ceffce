"""What makes a run void: one list of checks, which the verdict and the report's table both walk.

Pure functions of what was logged; nothing is hidden, nothing mended.
Source of the limits: a figure that the instrument made, and not the server, is worse than none.
"""

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from typing import Literal

import msgspec

from clients.records import Delivery, Run

LATE_LIMIT_MS = 5.0
LATE_LIMIT_SHARE = 0.05  # of the interval between messages, where that is longer
LAG_LIMIT_MS = 10.0
BUSY_CLIENT = 0.90
BUSY_SERVER = 0.95
CLOCK_LIMIT_MS = 10.0  # one machine's clock is the same for all; another's was set at its start
NO_LIMIT = "none: part of what is measured, shown so that one can tell"

Figure = Callable[[Run], float | None]


class Check(msgspec.Struct, frozen=True):
    """A check: what is looked at in a run, the most that it may be, and what is said above it.

    column: where a table of runs shows it, "" for nowhere; checks of one column stand together
    unit: what the figure is; limit: the most in words, where it differs from run to run
    reason: a format string of the figure, and of the `run`
    """

    name: str
    column: str
    figure: Figure
    reason: str
    most: Callable[[Run], float] = lambda _: 0
    unit: Literal["count", "ms", "share", "yes"] = "count"
    limit: str = ""

    def fails(self, run: Run) -> bool:
        """Say whether the run is above the limit; what was not measured is not."""
        figure = self.figure(run)
        return figure is not None and figure > self.most(run)


class Continuity(msgspec.Struct, frozen=True):
    """How far every client saw every id once, in order."""

    lost: int
    duplicates: int
    out_of_order: int


def continuity(deliveries: Iterable[Delivery], clients: int, ids: range) -> Continuity:
    """Hold what reached each of `clients` clients against the ids that were published."""
    seen: dict[int, list[int]] = defaultdict(list)
    for delivery in deliveries:
        seen[delivery.client].append(delivery.message)
    expected = set(ids)
    lost = len(expected) * (clients - len(seen))
    duplicates = out_of_order = 0
    for messages in seen.values():
        unique = set(messages)
        lost += len(expected - unique)
        duplicates += len(messages) - len(unique)
        out_of_order += sum(b < a for a, b in itertools.pairwise(messages))
    return Continuity(lost, duplicates, out_of_order)


def reasons(run: Run) -> list[str]:
    """Say in words why the run is void; nothing when it is valid."""
    failed = (check for check in CHECKS if check.fails(run))
    return [check.reason.format(check.figure(run), run=run) for check in failed]


def _where_no_fault_is(name: str) -> Figure:
    """Return the count `name`; nothing where faults were injected, which it is a finding of."""
    return lambda run: None if run.faults_per_s else getattr(run, name)


def _late_limit_ms(run: Run) -> float:
    return max(LATE_LIMIT_MS, LATE_LIMIT_SHARE * 1e3 / run.rate_per_s)


def _server_share(run: Run) -> float | None:
    if run.server_cpu_s is None or run.window_start_ns is None or run.window_end_ns is None:
        return None
    return run.server_cpu_s / (run.window_end_ns - run.window_start_ns) * 1e9


def _apart(what: str, clients: str, server: str) -> Check:
    """Make the check that the clients' count and the server's are the same."""

    def figure(run: Run) -> float | None:
        counted = getattr(run, server)
        return None if counted is None else abs(getattr(run, clients) - counted)

    reason = f"the clients count {{run.{clients}}} {what} and the server {{run.{server}}}"
    return Check(f"{what}, clients and server apart", APART, figure, reason)


FOREIGN_CLOCK = (
    "the server's clock is another machine's, {:.0f} ms apart: measure on the machine that the"
    " server runs on, and emulate the distance with --rtt-ms"
)
NO_MESSAGE = "no publish of the window was acknowledged: try a lower --rate or fewer --clients"
MISSED = "lost,\u00a0twice, disordered, unpublished"
APART = "clients and server apart: requests, deliveries, bytes up, down"

# Limits are looked up when a run is held to them, and not before: a test may lift them.
CHECKS: Sequence[Check] = (
    Check("interrupted", "", attrgetter("interrupted"), "it was interrupted", unit="yes",
          limit="no"),
    Check("publisher late, p99", "publisher late", attrgetter("publisher_late_p99_ms"),
          "the publisher was late: p99 {:.1f} ms", _late_limit_ms, "ms",
          f"at most {LATE_LIMIT_MS:g}\u00a0ms, or {LATE_LIMIT_SHARE * 100:g}\u00a0% of the time"
          " from one message to the next"),
    Check("clients' event loop late, p99", "loop late", attrgetter("client_lag_p99_ms"),
          "the clients' loop was late: p99 {:.1f} ms", lambda _: LAG_LIMIT_MS, "ms"),
    Check("a core's time that the clients took", "clients' CPU", attrgetter("client_cpu_share"),
          "the clients' process was busy: {:.0%} of a core", lambda _: BUSY_CLIENT, "share"),
    Check("a core's time that the crowd took", "crowd's CPU", attrgetter("crowd_cpu_share"),
          "a process of the crowd was busy: {:.0%} of a core", lambda _: BUSY_CLIENT, "share"),
    Check("a core's time that the line took", "line's CPU", attrgetter("link_cpu_share"),
          "the emulated line's process was busy: {:.0%} of a core", lambda _: BUSY_CLIENT, "share"),
    Check("server's clock apart, at most", "clock, empty windows, failures",
          attrgetter("clock_apart_ms"), FOREIGN_CLOCK, lambda _: CLOCK_LIMIT_MS, "ms"),
    Check("windows without a message", "clock, empty windows, failures",
          lambda run: run.messages == 0, NO_MESSAGE),
    Check("requests that failed", "clock, empty windows, failures", attrgetter("failures"), "",
          lambda _: math.inf, limit=NO_LIMIT),
    Check("a core's time that the server took", "server's CPU", _server_share,
          "the server was busy: {:.0%} of a core", lambda _: BUSY_SERVER, "share"),
    Check("deliveries lost", MISSED, _where_no_fault_is("lost"), "{} deliveries lost"),
    Check("deliveries twice", MISSED, _where_no_fault_is("duplicates"), "{} deliveries twice"),
    Check("deliveries out of order", MISSED, _where_no_fault_is("out_of_order"),
          "{} deliveries out of order"),
    Check("publishes that failed", MISSED, attrgetter("publish_failures"), "{} publishes failed"),
    Check("server's event loop late, at most", "server's loop, to reader",
          attrgetter("server_lag_max_ms"), "", lambda _: math.inf, "ms", NO_LIMIT),
    Check("from arrival in the process to the reader, p99", "server's loop, to reader",
          attrgetter("reader_p99_ms"), "", lambda _: math.inf, "ms", NO_LIMIT),
    _apart("requests", "requests", "server_requests"),
    _apart("deliveries", "deliveries", "server_deliveries"),
    _apart("bytes up", "bytes_up", "server_bytes_in"),
    _apart("bytes down", "bytes_down", "server_bytes_out"),
)  # fmt: skip
