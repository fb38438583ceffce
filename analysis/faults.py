"""What each kind of fault cost each kind of reader: one row for kind, mode and reader. No drawing.

Messages lost in a row are laid to one fault: the last that had begun when the first of them was
published, or within an interval from then, since a poll may not have asked for it yet. So what a
reader loses while it finds its way back belongs to what has led it astray, and not to what comes
meanwhile. A reader is current again when it gets a message that was published after a fault was
over; a fault that found it not yet current says nothing of how soon it is.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import polars as pl

from analysis.runs import mode_order, with_void
from clients.log import Log

KINDS = {
    "cut": "connections cut",
    "stall": "bytes held back",
    "pause": "server stopped",
    "kill": "server killed",
    "drop": "line down",
    "sleep": "readers asleep",
}
NO_FAULT = "before any"
COLUMNS = {
    "kind": pl.String,
    "times": pl.Int64,
    "lasts_ms": pl.Float64,
    "mode": pl.String,
    "naive": pl.Boolean,
    "readers": pl.Int64,
    "lost": pl.Int64,
    "duplicates": pl.Int64,
    "out_of_order": pl.Int64,
    "caught_up": pl.Int64,
    "recovery_p50_ms": pl.Float64,
    "recovery_max_ms": pl.Float64,
    "never": pl.Int64,
    "requests": pl.Float64,
}


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


def costs(log: Log) -> pl.DataFrame:
    """Return the costs, by kind, mode, and whether the reader kept no cursor (`naive`).

    times: how often the kind was tried; lasts_ms: for how long, on average
    lost, duplicates, out_of_order: of all readers of the row together
    caught_up: messages published while a reader was not current, that it got all the same
    recovery_*_ms: from a fault's end; never: after how many faults a reader did not come back
    requests: that a reader began from a fault's beginning until it was current, on average
    """
    found = [row for run in _runs(log) for row in _of_run(log, run)]
    if not found:
        return pl.DataFrame(schema=COLUMNS)
    rows = pl.DataFrame(found, infer_schema_length=None)
    recovery_ms = pl.col("recovery_ms").cast(pl.Float64)
    known = pl.col("kind") != NO_FAULT
    back = recovery_ms.is_not_null()
    return (
        rows.group_by("kind", "mode", "naive", maintain_order=True)
        .agg(
            pl.col("lost", "duplicates", "out_of_order", "caught_up").sum(),
            times=pl.col("fault").n_unique(),
            lasts_ms=pl.col("lasts_ms").mean(),
            readers=pl.col("reader").n_unique(),
            recovery_p50_ms=recovery_ms.median(),
            recovery_max_ms=recovery_ms.max(),
            never=(pl.col("met") & ~back).sum(),
            requests=pl.col("requests").filter(back).mean(),
        )
        .filter(known | (pl.sum_horizontal("lost", "duplicates", "out_of_order") > 0))
        .sort(_kind_order(), mode_order(), "naive")
        .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    )


def _kind_order() -> pl.Expr:
    names = [*KINDS, NO_FAULT]
    return pl.col("kind").replace_strict(names, range(len(names)), default=len(names))


def _runs(log: Log) -> list[dict[str, Any]]:
    if log.beside is None or log.beside.faults.is_empty():
        return []
    runs = with_void(log.runs).filter("averaged", pl.col("faults_per_s") > 0)
    return runs.to_dicts()


def _of_run(log: Log, run: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each fault and reader of a run, and one for what came before any."""
    assert log.beside is not None
    faults = log.beside.faults.filter(run=run["run"]).sort("began_ns")
    if faults.is_empty():
        return
    sources = (
        (False, log.deliveries, log.requests),
        (True, log.beside.deliveries, log.beside.requests),
    )
    of_run = [(n, d.filter(run=run["run"]), r.filter(run=run["run"])) for n, d, r in sources]
    stamps = ("message", "published_ns")
    published = pl.concat([rows.select(stamps) for _, rows, _ in of_run]).unique().sort("message")
    lasts_ms = ((faults["ended_ns"] - faults["began_ns"]) / 1e6).to_list()
    lead_ns = round(run["interval_s"] * 1e9)
    for naive, deliveries, requests in of_run:
        for reader in range(1, run["clients"] + 1):
            own = deliveries.filter(client=reader).sort("received_ns", maintain_order=True)
            began_ns = requests.filter(client=reader)["started_ns"].sort().to_numpy()
            each = of_reader(faults, published, own, began_ns, lead_ns)
            for number, cost in enumerate(each):
                yield {
                    "fault": f"{run['trial']}/{run['setting']}/{number}",
                    "lasts_ms": lasts_ms[number] if number < len(lasts_ms) else None,
                    "mode": run["mode"],
                    "naive": naive,
                    "reader": reader,
                } | msgspec.structs.asdict(cost)


def of_reader(
    faults: pl.DataFrame,
    published: pl.DataFrame,
    own: pl.DataFrame,
    requests_ns: np.ndarray,
    lead_ns: int,
) -> list[Cost]:
    """Return what each fault cost one reader, and last what it lost before any.

    faults: in order; published: every message with its stamp; own: the reader's, as they came
    requests_ns: when it began each of its requests; lead_ns: by how much spans begin earlier
    """
    began, ended = (faults[name].to_numpy() for name in ("began_ns", "ended_ns"))
    found = [Cost(kind) for kind in (*faults["kind"], NO_FAULT)]
    _count_lost(found, published, own, began - lead_ns)
    _count_strays(found, own, _spans(own["received_ns"].to_numpy(), began))
    by_stamp = own.sort("published_ns", maintain_order=True)
    stamps, received = (by_stamp[name].to_numpy() for name in ("published_ns", "received_ns"))
    soonest = np.minimum.accumulate(received[::-1])[::-1]  # of this message and all later ones
    current_ns = 0
    for cost, begin, end in zip(found, began, ended, strict=False):
        first = np.searchsorted(stamps, end)
        cost.met = bool(current_ns <= begin)
        if first == stamps.size:
            break
        current_ns = soonest[first]
        if not cost.met:
            continue
        came = received[np.searchsorted(stamps, begin) : np.searchsorted(stamps, current_ns)]
        cost.caught_up = int(((came > end) & (came < current_ns)).sum())
        cost.recovery_ms = float(current_ns - end) / 1e6
        asked = np.searchsorted(requests_ns, (begin, current_ns + 1))
        cost.requests = int(asked[1] - asked[0])
    return found


def _count_lost(
    found: list[Cost], published: pl.DataFrame, own: pl.DataFrame, starts_ns: np.ndarray
) -> None:
    """Count what never came, each row of messages by its first."""
    lost = ~published["message"].is_in(own["message"].unique().to_list()).to_numpy()
    begins = np.flatnonzero(lost & ~np.concatenate(([False], lost[:-1])))
    row = np.cumsum(np.isin(np.arange(lost.size), begins))[lost] - 1
    spans = _spans(published["published_ns"].to_numpy()[begins], starts_ns)
    for number in row:
        found[spans[number]].lost += 1


def _count_strays(found: list[Cost], own: pl.DataFrame, spans: list[int]) -> None:
    """Count what came twice or out of order."""
    seen: set[int] = set()
    newest = 0
    for message, span in zip(own["message"].to_list(), spans, strict=True):
        found[span].duplicates += message in seen
        found[span].out_of_order += message < newest
        seen.add(message)
        newest = message


def _spans(stamps_ns: np.ndarray, starts_ns: np.ndarray) -> list[int]:
    """Return in which span each stamp lies; -1, the last place, before the first of them."""
    places: list[int] = (np.searchsorted(starts_ns, stamps_ns, side="right") - 1).tolist()
    return places
