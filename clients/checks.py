"""What makes a run void. Pure functions of what was logged; nothing is hidden, nothing mended.

Source of the limits: a figure that the instrument made, and not the server, is worse than none.
"""

import itertools
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from clients.log import Delivery, Run

LATE_LIMIT_MS = 5.0
LATE_LIMIT_SHARE = 0.05  # of the interval between messages, where that is longer
LAG_LIMIT_MS = 10.0
BUSY_CLIENT = 0.90
BUSY_SERVER = 0.95


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
    found = [
        run.interrupted and "it was interrupted",
        run.lost and f"{run.lost} deliveries lost",
        run.duplicates and f"{run.duplicates} deliveries twice",
        run.out_of_order and f"{run.out_of_order} deliveries out of order",
        run.publish_failures and f"{run.publish_failures} publishes failed",
        *_instrument(run),
        *_server(run),
    ]
    return [reason for reason in found if reason]


def _instrument(run: Run) -> list[str | None]:
    late_limit_ms = max(LATE_LIMIT_MS, LATE_LIMIT_SHARE * 1e3 / run.rate_per_s)
    return [
        _above(run.publisher_late_p99_ms, late_limit_ms, "the publisher was late: p99 {:.1f} ms"),
        _above(run.client_lag_p99_ms, LAG_LIMIT_MS, "the clients' loop was late: p99 {:.1f} ms"),
        _above(
            run.client_cpu_share, BUSY_CLIENT, "the clients' process was busy: {:.0%} of a core"
        ),
        _above(run.crowd_cpu_share, BUSY_CLIENT, "the crowd's process was busy: {:.0%} of a core"),
    ]


def _server(run: Run) -> list[str | None]:
    return [
        _above(_server_share(run), BUSY_SERVER, "the server was busy: {:.0%} of a core"),
        _differ("requests", run.requests, run.server_requests),
        _differ("deliveries", run.deliveries, run.server_deliveries),
        _differ("bytes up", run.bytes_up, run.server_bytes_in),
        _differ("bytes down", run.bytes_down, run.server_bytes_out),
    ]


def _server_share(run: Run) -> float | None:
    if run.server_cpu_s is None or run.window_start_ns is None or run.window_end_ns is None:
        return None
    return run.server_cpu_s / (run.window_end_ns - run.window_start_ns) * 1e9


def _above(figure: float | None, limit: float, words: str) -> str | None:
    return words.format(figure) if figure is not None and figure > limit else None


def _differ(what: str, clients: int, server: int | None) -> str | None:
    if server is None or server == clients:
        return None
    return f"the clients count {clients} {what} and the server {server}"
