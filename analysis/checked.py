"""Hold each run against each check: its figure, the limit, the verdict. No limit is set here.

The limits are those of `clients.checks`, which made the verdict when the run ended.
"""

import math
from collections.abc import Callable, Sequence
from operator import attrgetter

import msgspec
import polars as pl

from analysis.wording import NBSP, NOTHING, duration, percent
from clients.checks import (
    BUSY_CLIENT,
    BUSY_SERVER,
    LAG_LIMIT_MS,
    LATE_LIMIT_MS,
    LATE_LIMIT_SHARE,
)
from clients.log import Run


def _count(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


class Check(msgspec.Struct, frozen=True):
    """A check: what is looked at in a run, the most that it may be, and how both are written.

    limit: the most in words, where it differs from run to run
    """

    name: str
    figure: Callable[[Run], float | None]
    most: Callable[[Run], float]
    write: Callable[[float | None], str] = _count
    limit: str = ""


class Verdict(msgspec.Struct, frozen=True):
    """A run's figure as it is written, and whether it is above the limit."""

    text: str
    failed: bool


class Line(msgspec.Struct, frozen=True):
    """A check over all runs: its limit, the worst figure, and how many runs failed it."""

    name: str
    limit: str
    worst: str
    failed: int


def hold(check: Check, run: Run) -> Verdict:
    """Hold a run against a check; what was not measured does not fail."""
    figure = check.figure(run)
    return Verdict(check.write(figure), figure is not None and figure > check.most(run))


def overview(runs: pl.DataFrame) -> list[Line]:
    """Return a line for each check."""
    every = records(runs)
    return [
        Line(
            check.name,
            check.limit or f"at most {check.write(check.most(every[0]))}",
            check.write(max((f for f in map(check.figure, every) if f is not None), default=None)),
            sum(hold(check, run).failed for run in every),
        )
        for check in CHECKS
    ]


def records(runs: pl.DataFrame) -> list[Run]:
    """Return the runs' rows as the records that were logged, in the order of their numbers."""
    fields = list(Run.__struct_fields__)
    return [Run(**row) for row in runs.sort("run").select(fields).iter_rows(named=True)]


def _server_share(run: Run) -> float | None:
    if run.server_cpu_s is None or run.window_start_ns is None or run.window_end_ns is None:
        return None
    return run.server_cpu_s / (run.window_end_ns - run.window_start_ns) * 1e9


def _apart(clients: str, server: str) -> Callable[[Run], float | None]:
    """Return by how much the clients' count differs from the server's."""

    def figure(run: Run) -> float | None:
        counted = getattr(run, server)
        return None if counted is None else abs(getattr(run, clients) - counted)

    return figure


def _late_limit_ms(run: Run) -> float:
    return max(LATE_LIMIT_MS, LATE_LIMIT_SHARE * 1e3 / run.rate_per_s)


def _none(_: Run) -> float:
    return 0


def _most(limit: float) -> Callable[[Run], float]:
    return lambda _: limit


NO_LIMIT = "none: part of what is measured, shown so that one can tell"

CHECKS: Sequence[Check] = (
    Check("publisher late, p99", attrgetter("publisher_late_p99_ms"), _late_limit_ms, duration,
          f"at most {duration(LATE_LIMIT_MS)}, or {percent(LATE_LIMIT_SHARE)} of the time from one"
          " message to the next"),
    Check("clients' event loop late, p99", attrgetter("client_lag_p99_ms"), _most(LAG_LIMIT_MS),
          duration),
    Check("a core's time that the clients took", attrgetter("client_cpu_share"),
          _most(BUSY_CLIENT), percent),
    Check("a core's time that the crowd took", attrgetter("crowd_cpu_share"), _most(BUSY_CLIENT),
          percent),
    Check("a core's time that the server took", _server_share, _most(BUSY_SERVER), percent),
    Check("deliveries lost", attrgetter("lost"), _none),
    Check("deliveries twice", attrgetter("duplicates"), _none),
    Check("deliveries out of order", attrgetter("out_of_order"), _none),
    Check("publishes that failed", attrgetter("publish_failures"), _none),
    Check("requests, clients and server apart", _apart("requests", "server_requests"), _none),
    Check("deliveries, clients and server apart", _apart("deliveries", "server_deliveries"), _none),
    Check("bytes up, clients and server apart", _apart("bytes_up", "server_bytes_in"), _none),
    Check("bytes down, clients and server apart", _apart("bytes_down", "server_bytes_out"), _none),
    Check("server's event loop late, at most", attrgetter("server_lag_max_ms"), _most(math.inf),
          duration, NO_LIMIT),
    Check("from arrival in the process to the reader, p99", attrgetter("reader_p99_ms"),
          _most(math.inf), duration, NO_LIMIT),
    Check("interrupted", attrgetter("interrupted"), _none,
          lambda value: "yes" if value else "no", "no"),
)  # fmt: skip

# What a table of runs shows in one column, with a short head.
COLUMNS: Sequence[tuple[str, Sequence[Check]]] = (
    ("publisher late", CHECKS[0:1]),
    ("loop late", CHECKS[1:2]),
    ("clients' CPU", CHECKS[2:3]),
    ("crowd's CPU", CHECKS[3:4]),
    ("server's CPU", CHECKS[4:5]),
    (f"lost,{NBSP}twice, disordered, unpublished", CHECKS[5:9]),
    ("server's loop, to reader", CHECKS[13:15]),
    ("clients and server apart: requests, deliveries, bytes up, down", CHECKS[9:13]),
)
