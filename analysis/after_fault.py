"""What each fault cost one reader.

Messages lost in a row are laid to the fault under which the reader's first request since its last
message failed (or the last to have begun by then): so what it loses while it finds its way back
belongs to what led it astray, and not to what comes meanwhile. A reader is current again when it
gets a message that was published after a fault was over; a fault that found it not yet current says
nothing of how soon it is.
"""

from collections.abc import Iterator
from itertools import groupby

import msgspec
import numpy as np
import polars as pl

NO_FAULT = "before any"
WELL = (200, 204, 410)  # answers to a poll; a WebSocket's session, 101, has ended with its row


class Cost(msgspec.Struct):
    """What one fault cost one reader.

    met: whether it found the reader current; if not, what follows is not counted
    recovery_ms: None when the reader was never current again
    """

    kind: str
    lost: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    met: bool = False
    caught_up: int = 0
    recovery_ms: float | None = None
    requests: int = 0


def of_reader(
    faults: pl.DataFrame, published: pl.DataFrame, own: pl.DataFrame, requests: pl.DataFrame
) -> list[Cost]:
    """Return what each fault cost one reader, and last what it lost before any.

    faults: in order; published: every message with its stamp, in order; own: the reader's
    deliveries, as they came; requests: its rows
    """
    began, ended = (faults[name].to_numpy() for name in ("began_ns", "ended_ns"))
    found = [Cost(kind) for kind in (*faults["kind"], NO_FAULT)]
    failed = requests.filter(~pl.col("status").is_in(WELL))["ended_ns"].sort().to_numpy()
    for first_ns, count in _lost_in_a_row(published, own, failed):
        found[np.searchsorted(began, first_ns, side="right") - 1].lost += count
    _count_strays(found, own, began)
    _count_ways_back(found, began, ended, own, requests["started_ns"].sort().to_numpy())
    return found


def _lost_in_a_row(
    published: pl.DataFrame, own: pl.DataFrame, failed_ns: np.ndarray
) -> Iterator[tuple[int, int]]:
    """Yield since when and how many messages were lost, each time that some were."""
    came = own.group_by("message").agg(pl.col("received_ns").min())
    every = published.join(came, on="message", how="left", maintain_order="left")
    last_ns = 0
    for lost, part in groupby(every.iter_rows(named=True), lambda row: row["received_ns"] is None):
        rows = list(part)
        if not lost:
            last_ns = max(row["received_ns"] for row in rows)
            continue
        place = np.searchsorted(failed_ns, last_ns, side="right")
        some = place < failed_ns.size
        yield int(failed_ns[place]) if some else rows[0]["published_ns"], len(rows)


def _count_strays(found: list[Cost], own: pl.DataFrame, began_ns: np.ndarray) -> None:
    """Count what came twice or out of order, by when it came."""
    spans = np.searchsorted(began_ns, own["received_ns"].to_numpy(), side="right") - 1
    seen: set[int] = set()
    newest = 0
    for message, span in zip(own["message"].to_list(), spans, strict=True):
        found[span].duplicates += message in seen
        found[span].out_of_order += message < newest
        seen.add(message)
        newest = message


def _count_ways_back(
    found: list[Cost],
    began_ns: np.ndarray,
    ended_ns: np.ndarray,
    own: pl.DataFrame,
    asked_ns: np.ndarray,
) -> None:
    """Note how soon the reader was current again after each fault that found it so."""
    by_stamp = own.sort("published_ns", maintain_order=True)
    stamps, received = (by_stamp[name].to_numpy() for name in ("published_ns", "received_ns"))
    soonest = np.minimum.accumulate(received[::-1])[::-1]  # of this message and all later ones
    current_ns = 0
    for cost, began, ended in zip(found, began_ns, ended_ns, strict=False):
        cost.met = bool(current_ns <= began)
        first = np.searchsorted(stamps, ended)
        if first == stamps.size:
            return
        current_ns = soonest[first]
        if cost.met:
            came = received[np.searchsorted(stamps, began) : np.searchsorted(stamps, current_ns)]
            cost.caught_up = int(((came > ended) & (came < current_ns)).sum())
            cost.recovery_ms = float(current_ns - ended) / 1e6
            asked = np.searchsorted(asked_ns, (began, current_ns + 1))
            cost.requests = int(asked[1] - asked[0])
