"""What each kind of fault cost each kind of reader: one row for setting, kind, mode and reader.

What a fault cost one reader is found in after_fault.py. No drawing here.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import polars as pl

from analysis.after_fault import NO_FAULT, of_reader
from analysis.once import once
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
COLUMNS = {
    "setting": pl.Int64,
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


@once
def costs(log: Log) -> pl.DataFrame:
    """Return the costs, by setting, kind, mode, and whether the reader kept no cursor (`naive`).

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
        rows.group_by("setting", "kind", "mode", "naive", maintain_order=True)
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
        .sort("setting", _kind_order(), mode_order(), "naive")
        .select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())
    )


def _published(log: Log, run: dict[str, Any]) -> pl.DataFrame:
    """Return what was published: what any reader of the session had, whose modes share a feed."""
    assert log.beside is not None
    session = log.runs.filter(pl.col("trial") == run["trial"], pl.col("setting") == run["setting"])
    every = pl.concat(
        rows.filter(pl.col("run").is_in(session["run"].implode())).select("message", "published_ns")
        for rows in (log.deliveries, log.beside.deliveries)
    )
    return every.unique("message").sort("message")


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
    sources = (
        (False, log.deliveries, log.requests),
        (True, log.beside.deliveries, log.beside.requests),
    )
    of_run = [(n, d.filter(run=run["run"]), r.filter(run=run["run"])) for n, d, r in sources]
    published = _published(log, run)
    lasts_ms = ((faults["ended_ns"] - faults["began_ns"]) / 1e6).to_list()
    for naive, deliveries, requests in of_run:
        for reader in range(1, run["clients"] + 1):
            own = deliveries.filter(client=reader).sort("received_ns", maintain_order=True)
            each = of_reader(faults, published, own, requests.filter(client=reader))
            for number, cost in enumerate(each):
                yield {
                    "setting": run["setting"],
                    "fault": f"{run['trial']}/{number}",
                    "lasts_ms": lasts_ms[number] if number < len(lasts_ms) else None,
                    "mode": run["mode"],
                    "naive": naive,
                    "reader": reader,
                } | msgspec.structs.asdict(cost)
