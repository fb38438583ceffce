"""Put each check of a run into words: its figure, the limit, the verdict. Nothing is judged here.

The checks are those of `clients.checks`, which made the verdict when the run ended.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence

import msgspec
import polars as pl

from analysis.wording import NOTHING, duration, percent
from clients.checks import CHECKS, Check
from clients.log import Run

__all__ = ["CHECKS", "COLUMNS", "Line", "Verdict", "hold", "overview", "records"]


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
    return Verdict(WRITE[check.unit](check.figure(run)), check.fails(run))


def overview(runs: pl.DataFrame) -> list[Line]:
    """Return a line for each check."""
    every = records(runs)
    return [_line(check, every) for check in CHECKS]


def records(runs: pl.DataFrame) -> list[Run]:
    """Return the runs' rows as the records that were logged, in the order of their numbers."""
    fields = list(Run.__struct_fields__)
    return [Run(**row) for row in runs.sort("run").select(fields).iter_rows(named=True)]


def _line(check: Check, runs: Sequence[Run]) -> Line:
    write = WRITE[check.unit]
    worst = max((f for f in map(check.figure, runs) if f is not None), default=None)
    failed = sum(check.fails(run) for run in runs)
    limit = check.limit or f"at most {write(check.most(runs[0]))}"
    return Line(check.name, limit, write(worst), failed)


def _count(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


WRITE: Mapping[str, Callable[[float | None], str]] = {
    "count": _count,
    "ms": duration,
    "share": percent,
    "yes": lambda value: "yes" if value else "no",
}

# What a table of runs shows in one column, with a short head.
COLUMNS: Sequence[tuple[str, Sequence[Check]]] = tuple(
    (column, tuple(checks))
    for column, checks in itertools.groupby(CHECKS, key=lambda check: check.column)
    if column
)
