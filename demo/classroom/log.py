"""What the class has measured, as runs of the project's log: one for each measured run and mode.

Modes are compared at equal settings, and the number of readers is one: of each mode as many are
taken as the smallest has, the first to have come. No file is written here.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from demo.classroom.lanes import MODES
from demo.classroom.matching import Asked, Served
from demo.classroom.measured import Heard, Measured, Place, Tables, measured
from demo.classroom.rows import Rows
from demo.classroom.run import Part, Run
from demo.classroom.settings import Mode

Row = TypeVar("Row")
ByReader = Mapping[int, Sequence[Row]]


class Material(msgspec.Struct, frozen=True):
    """What a log is made of, taken at one moment, so that another thread can read it.

    runs: those that have ended; requests, deliveries, served: see reports.py and reading.py
    clock_error_ms: of the readers present, by mode; join_url: where they read
    """

    runs: Sequence[Run]
    requests: Rows
    deliveries: Rows
    served: Rows
    clock_error_ms: Mapping[Mode, float | None]
    join_url: str | None


def measured_runs(material: Material) -> list[Measured]:
    """Return every run that is not left out, by mode."""
    tables = {mode: _tables(material, number) for number, mode in enumerate(MODES)}
    found: list[Measured] = []
    for setting, run in enumerate(run for run in material.runs if run.left_out is None):
        for mode, parts in taken(run).items():
            place = Place(len(found) + 1, len(found) + 1, setting, mode)
            found.append(measured(place, run, parts, tables[mode]))
    return found


def taken(run: Run) -> dict[Mode, list[Part]]:
    """Return the readers that stand for each mode, equally many."""
    there = {mode: run.of(mode) for mode in MODES if run.of(mode)}
    count = min(map(len, there.values()), default=0)
    return {mode: parts[:count] for mode, parts in there.items()}


def _tables(material: Material, mode: int) -> Tables:
    return Tables(
        _by_reader(material.requests, mode, lambda row: Asked(*row)),
        _by_reader(material.served, mode, lambda row: Served(*row)),
        _by_reader(material.deliveries, mode, _heard),
    )


def _heard(row: Sequence[int]) -> Heard:
    message, published_ns, sent_ns, received_ns = row
    return message, published_ns, sent_ns, received_ns


def _by_reader(
    rows: Iterable[tuple[int, ...]], mode: int, make: Callable[[Sequence[int]], Row]
) -> ByReader[Row]:
    found: dict[int, list[Row]] = defaultdict(list)
    for reader, of, *row in rows:
        if of == mode:
            found[reader].append(make(row))
    return found
