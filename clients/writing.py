"""Write a log run by run: what has been measured is on disk, whole, whatever comes after.

Nothing is read here: who measures needs no data frames.
"""

import contextlib
import csv
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from clients.errors import LogError
from clients.injected import BESIDE, FAULTS, NAIVE_DELIVERIES, NAIVE_REQUESTS, Fault
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
    Request,
    Run,
)

FORMULA = ("=", "+", "-", "@", "\t", "\r")


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
        self.describe(experiment)
        with written_to(self.folder):
            for record, name in FILES.items():
                self._append(name, [record.__struct_fields__])

    def describe(self, experiment: Experiment) -> None:
        """Write `experiment.json`, again when the experiment has finished."""
        self._replace(EXPERIMENT, msgspec.json.encode(experiment))

    def add(self, run: Run, requests: Sequence[Request], deliveries: Sequence[Delivery]) -> None:
        """Append a run's rows, all or none; its own row comes last, when the others are safe.

        Raises LogError when the disk does not take them.
        """
        sizes: dict[str, int] = {}
        try:
            with written_to(self.folder):
                sizes |= {name: (self.folder / name).stat().st_size for name in FILES.values()}
                self._append(REQUESTS, map(msgspec.structs.astuple, requests))
                self._append(DELIVERIES, map(msgspec.structs.astuple, deliveries))
                self._append(RUNS, [map(_cell, msgspec.structs.astuple(run))])
        except LogError as error:
            for name, size in sizes.items():  # a full disk has taken part of them
                with contextlib.suppress(OSError):
                    os.truncate(self.folder / name, size)
            raise LogError(f"{error}: run {run.run} is lost, the runs before it are kept") from None

    def add_beside(
        self,
        faults: Sequence[Fault],
        requests: Sequence[Request],
        deliveries: Sequence[Delivery],
    ) -> None:
        """Append a run's faults, and what its readers without a cursor saw; make their files."""
        rows = {FAULTS: faults, NAIVE_REQUESTS: requests, NAIVE_DELIVERIES: deliveries}
        with written_to(self.folder):
            for name, record in BESIDE.items():
                if not (self.folder / name).exists():
                    self._append(name, [record.__struct_fields__])
                self._append(name, map(msgspec.structs.astuple, rows[name]))

    def wire(self, exchanges: dict[str, Exchange]) -> None:
        """Write the bytes of one delivery of each mode."""
        self._replace(WIRE, msgspec.json.encode(exchanges))

    def _append(self, name: str, rows: Iterable[Iterable[object]]) -> None:
        with (self.folder / name).open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)  # None becomes an empty cell

    def _replace(self, name: str, json: bytes) -> None:
        # Written beside it first: what is there is lost only to something whole.
        path = self.folder / name
        beside = path.with_suffix(".part")
        with written_to(self.folder):
            try:
                beside.write_bytes(msgspec.json.format(json, indent=2) + b"\n")
                beside.replace(path)
            except OSError:
                beside.unlink(missing_ok=True)
                raise


@contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Raise LogError, with the reason, where something cannot be written to a folder."""
    try:
        yield
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"  # as text: a spreadsheet would reckon with it
    return str(value).lower() if isinstance(value, bool) else value
