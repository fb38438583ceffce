"""What makes a class's run void, in the words and by the limits of clients/checks.py.

This side of the project may not import those; a test holds the two together.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence

from demo.classroom.run import Cell, Run

LATE_LIMIT_MS = 5.0
LATE_LIMIT_SHARE = 0.05  # of the time between messages, where that is longer


def continuity(heard: Iterable[Sequence[int]], run: Run) -> dict[str, Cell]:
    """Hold what reached each reader against the ids that were published during the run."""
    expected = set(range(run.first_message, run.first_message + run.messages))
    lost = duplicates = out_of_order = 0
    for ids in heard:
        lost += len(expected.difference(ids))
        duplicates += len(ids) - len(set(ids))
        out_of_order += sum(b < a for a, b in itertools.pairwise(ids))
    return {"lost": lost, "duplicates": duplicates, "out_of_order": out_of_order}


def reasons(totals: Mapping[str, Cell], run: Run) -> list[str]:
    """Say what makes the run void, in words; nothing when it is valid."""
    words = {"lost": "lost", "duplicates": "twice", "out_of_order": "out of order"}
    found = [f"{totals[name]} deliveries {word}" for name, word in words.items() if totals[name]]
    late_ms = p99(run.late_ms)
    if late_ms is not None and late_ms > max(
        LATE_LIMIT_MS, LATE_LIMIT_SHARE * 1e3 * run.seconds / run.messages
    ):
        found.append(f"the publisher was late: p99 {late_ms:.1f} ms")
    clients, server = totals["requests"], totals["server_requests"]
    if clients != server:
        found.append(f"the clients count {clients} requests and the server {server}")
    return found


def p99(values: Sequence[float]) -> float | None:
    """Return the 99th percentile, None of nothing."""
    ordered = sorted(values)
    return ordered[round(0.99 * (len(ordered) - 1))] if ordered else None
