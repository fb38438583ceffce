"""The log of an experiment: the contract between measuring and analysis.

One folder per experiment, plain CSV that opens anywhere. Raw events only: no averages here.
All stamps are `time.perf_counter_ns` of one machine.
"""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from clients.injected import BESIDE, FAULTS, NAIVE_DELIVERIES, NAIVE_REQUESTS, Fault
from clients.reading import ADDED_LATER, Beside, Log, read
from clients.records import (
    DELIVERIES,
    EXPERIMENT,
    FILES,
    REQUESTS,
    RUNS,
    WIRE,
    Delivery,
    Exchange,
    Experiment,
    LogError,
    Request,
    Run,
    Settings,
)

FORMULA = ("=", "+", "-", "@", "\t", "\r")

__all__ = [
    "ADDED_LATER",
    "BESIDE",
    "DELIVERIES",
    "EXPERIMENT",
    "REQUESTS",
    "RUNS",
    "WIRE",
    "Beside",
    "Delivery",
    "Exchange",
    "Experiment",
    "Fault",
    "Log",
    "LogError",
    "Request",
    "Run",
    "Settings",
    "Writer",
    "make_folder",
    "read",
]


def make_folder(folder: Path) -> None:
    """Make a folder, or take an empty one; raise LogError when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise LogError(f"{folder} is not empty: choose another folder with --out")
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None


class Writer:
    """Write an experiment's log run by run, so that what has been measured is on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, experiment: Experiment) -> None:
        """Make the folder and its files; raise LogError when that cannot be."""
        make_folder(self.folder)
        try:
            self.describe(experiment)
            for record, name in FILES.items():
                self._append(name, [record.__struct_fields__])
        except OSError as error:
            raise LogError(f"cannot write to {self.folder}: {error.strerror or error}") from None

    def describe(self, experiment: Experiment) -> None:
        """Write `experiment.json`, again when the experiment has finished."""
        text = msgspec.json.format(msgspec.json.encode(experiment), indent=2)
        (self.folder / EXPERIMENT).write_bytes(text + b"\n")

    def add(self, run: Run, requests: Sequence[Request], deliveries: Sequence[Delivery]) -> None:
        """Append a run's rows; its own row comes last, when the others are safe."""
        self._append(REQUESTS, map(msgspec.structs.astuple, requests))
        self._append(DELIVERIES, map(msgspec.structs.astuple, deliveries))
        self._append(RUNS, [map(_cell, msgspec.structs.astuple(run))])

    def add_beside(
        self,
        faults: Sequence[Fault],
        requests: Sequence[Request],
        deliveries: Sequence[Delivery],
    ) -> None:
        """Append a run's faults, and what its readers without a cursor saw; make their files."""
        rows = {FAULTS: faults, NAIVE_REQUESTS: requests, NAIVE_DELIVERIES: deliveries}
        for name, record in BESIDE.items():
            if not (self.folder / name).exists():
                self._append(name, [record.__struct_fields__])
            self._append(name, map(msgspec.structs.astuple, rows[name]))

    def wire(self, exchanges: dict[str, Exchange]) -> None:
        """Write the bytes of one delivery of each mode."""
        text = msgspec.json.format(msgspec.json.encode(exchanges), indent=2)
        (self.folder / WIRE).write_bytes(text + b"\n")

    def _append(self, name: str, rows: Iterable[Iterable[object]]) -> None:
        with (self.folder / name).open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)  # None becomes an empty cell


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"  # as text: a spreadsheet would reckon with it
    return str(value).lower() if isinstance(value, bool) else value
