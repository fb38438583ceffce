"""Give account of a collection: when it was measured, with which settings, and what is missing.

Text and tables only; nothing is left out in silence.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from analysis.collection import Collection
from analysis.rows import differing
from analysis.runs import with_void
from analysis.wording import KINDS, VARIABLES, plain, setting
from clients.log import Log

# A reason is told with its figures, which differ from run to run.
COUNTS = re.compile(r"\d[\d.,]* (ms )?")
SOME = re.compile(r"only \d+ of \d+ ")


def runs_of(logs: Sequence[Log]) -> pl.DataFrame:
    """Return the runs of all logs."""
    return with_void(pl.concat([log.runs for log in logs])) if logs else pl.DataFrame()


def when(logs: Sequence[Log]) -> tuple[datetime, datetime, float]:
    """Return when the first run began and the last ended, and how many minutes all took."""
    spans = [_span(log.runs) for log in logs if log.runs.height]
    took = sum((end - start for start, end in spans), timedelta())
    first, last = min(start for start, _ in spans), max(end for _, end in spans)
    return first, last, took / timedelta(minutes=1)


def _span(runs: pl.DataFrame) -> tuple[datetime, datetime]:
    starts = [datetime.fromisoformat(text).astimezone(UTC) for text in runs["started_utc"]]
    lengths_s = runs["warmup_s"] + runs["duration_s"]
    ends = [at + timedelta(seconds=s) for at, s in zip(starts, lengths_s, strict=True)]
    return min(starts), max(ends)


def moments(first: datetime, last: datetime) -> str:
    """Write when: `on 22 November 2026, 21:55 to 23:10 UTC`, with both days when there are two."""
    if first.date() == last.date():
        return f"on {first.day} {first:%B %Y}, {first:%H:%M} to {last:%H:%M} UTC"
    ends = (f"{moment.day} {moment:%B %Y}, {moment:%H:%M}" for moment in (first, last))
    return f"from {' to '.join(ends)} UTC"


def missing(collection: Collection) -> Iterator[str]:
    """Name what is not as it should be: unread, unfinished, without a good run, not measured."""
    for name, why in collection.broken:
        yield f"{name} is left out: {why}"
    for member in collection.members:
        log = member.log
        if log.runs.is_empty():
            yield f"{member.name}: no run has ended, so it has no chapter"
        elif with_void(log.runs)["void"].all():
            yield f"{member.name}: every run is void, and none of its figures is to be trusted"
        if log.runs.height and not log.experiment.finished:
            yield f"{member.name} was ended before its time, after {log.runs.height} runs"
        yield from (f"{member.name}: {fault}" for fault in log.faults)
    if collection.leap is not None and collection.leap[1].void:
        yield f"{collection.leap[0]}: no crowd was measured on which client and server agree"
    if collection.missing:
        yield f"Not measured, or not in this folder: {', '.join(collection.missing)}"


def void_runs(name: str, log: Log) -> dict[str, Any] | None:
    """Return how many runs of an experiment are void, and how often for which reason."""
    void = with_void(log.runs).filter("void")
    if void.is_empty():
        return None
    reasons = Counter(
        COUNTS.sub("", SOME.sub("not all ", reason.partition(":")[0]))
        for because in void["void_because"]
        for reason in (because or "interrupted").split("; ")
    )
    told = [f"{reason} ({count})" for reason, count in reasons.most_common()]
    return {
        "name": name,
        "void": void.height,
        "runs": log.runs.height,
        "because": ", ".join(told),
    }


def settings(rows: pl.DataFrame, log: Log) -> dict[str, str]:
    """Return what is common to an experiment's settings, what differs, and the window's length."""
    names = differing(rows)
    largest = rows.sort("clients").row(-1, named=True)  # of which most are only counted, if any
    varied = [f"{VARIABLES[name]}: {_values(rows, name)}" for name in names if name in VARIABLES]
    varied += [_kinds(rows, name) for name in names if name in KINDS]
    windows_s = log.runs["duration_s"].unique().sort().to_list()
    window = " to ".join(dict.fromkeys([plain(windows_s[0]), plain(windows_s[-1])]))
    return {
        "common": setting(largest, without=names),
        "varied": "; ".join(varied),
        "window": f"{window} s after {plain(log.runs['warmup_s'][0])} s",
    }


def _values(rows: pl.DataFrame, name: str) -> str:
    return ", ".join(plain(float(value)) for value in rows[name].unique().sort())


def _kinds(rows: pl.DataFrame, name: str) -> str:
    return " or ".join(text for value, text in KINDS[name].items() if value in rows[name])
