"""The class's log as a zip: the project's four files, every row as it was reported, and a word.

What people type is not in it. A cell that a spreadsheet would take for a formula is marked as text
all the same.
"""

import csv
import io
import itertools
import os
import platform
import time
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import IO, cast

import msgspec

from demo.classroom.columns import DELIVERIES, REQUESTS, RUNS
from demo.classroom.lanes import MODES
from demo.classroom.log import Material, measured_runs, taken
from demo.classroom.measured import Measured
from demo.classroom.rows import Rows
from demo.classroom.run import Cell, Run

QUESTION = "What did each mode cost the class, and how late was the news?"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
ASKED = ("reader", "mode", "started_ns", "ended_ns", "status", "messages", "connection")
ROWS_AT_ONCE = 1000
FIRST, LAST = (1980, 1, 1, 0, 0, 0), (2107, 12, 31, 23, 59, 58)  # that a zip can name
HEARD = ("reader", "mode", "message", "published_ns", "sent_ns", "received_ns")


def archive(material: Material) -> Iterator[bytes]:
    """Yield the zip piece by piece; its first four files are a log as `clients.log.read` reads it.

    Nothing is held but the piece at work, so that a long lesson's log costs no more than its rows.
    """
    found = []
    for each in measured_runs(material):
        found += [] if each is None else [each]
        yield b""
    out = Pieces()
    with zipfile.ZipFile(cast(IO[bytes], out), "w") as file:
        for name, content in _files(material, found):
            with file.open(_entry(name), "w") as entry:
                for piece in content:
                    entry.write(piece.encode())
                    yield out.take()
    yield out.take()


class Pieces:
    """A file that is only written to, and taken away as it grows."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        """Keep some bytes until they are taken."""
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: all is there at once."""

    def take(self) -> bytes:
        """Return what has been written since the last time."""
        taken, self._written = bytes(self._written), bytearray()
        return taken


def _entry(name: str) -> zipfile.ZipInfo:
    moment = min(max(FIRST, time.localtime()[:6]), LAST)  # a clock that is wrong is no fault
    entry = zipfile.ZipInfo(name, moment)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _files(material: Material, found: list[Measured]) -> Iterator[tuple[str, Iterable[str]]]:
    requests = (row for each in found for row in each.requests())
    deliveries = (row for each in found for row in each.deliveries())
    yield "experiment.json", [_experiment(material, found)]
    yield "runs.csv", _of_columns(RUNS, (each.run for each in found))
    yield "requests.csv", _of_columns(REQUESTS, requests)
    yield "deliveries.csv", _of_columns(DELIVERIES, deliveries)
    # Millions of numbers, and no word of anybody's that a spreadsheet could take for a formula.
    yield "everything/requests.csv", _written(ASKED, _named(material.requests))
    yield "everything/deliveries.csv", _written(HEARD, _named(material.deliveries))
    yield "README.txt", [_readme(material, found)]


def table(columns: Sequence[str], rows: Iterable[Iterable[Cell]]) -> Iterator[str]:
    """Yield rows as CSV, some at a time; what is None is empty."""
    return _written(columns, (map(_cell, row) for row in rows))


def _written(columns: Sequence[str], rows: Iterable[Iterable[Cell]]) -> Iterator[str]:
    lines = itertools.chain([columns], rows)
    while some := list(itertools.islice(lines, ROWS_AT_ONCE)):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerows(some)
        yield out.getvalue()


def _of_columns(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> Iterator[str]:
    return table(columns, ([row.get(name) for name in columns] for row in rows))


def _named(rows: Rows) -> Iterator[list[Cell]]:
    for reader, mode, *rest in rows:
        yield [reader, MODES[mode], *rest]


def _cell(value: Cell) -> Cell:
    if type(value) is int:  # nearly all are
        return value
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return ("'" if value.startswith(FORMULA) else "") + value.replace("\r", " ")
    return value


def _experiment(material: Material, found: list[Measured]) -> str:
    settings = {each.run["setting"]: each.run for each in found}
    experiment = {
        "scenario": "classroom",
        "question": QUESTION,
        "modes": [mode for mode in MODES if any(each.run["mode"] == mode for each in found)],
        "settings": [{name: run[name] for name in SETTINGS} for run in settings.values()],
        "trials": 1,
        "seed": 0,
        "url": material.join_url,
        "started_utc": material.runs[0].started_utc,
        "machine": {
            "system": platform.system(),
            "release": platform.release(),
            "architecture": platform.machine(),
            "cores": os.cpu_count(),
            "clock_error_ms": dict(material.clock_error_ms),
        },
        "versions": {"python": platform.python_version(), "aiohttp": version("aiohttp")},
        "clock_resolution_ns": time.get_clock_info("perf_counter").resolution * 1e9,
        "finished": True,
    }
    return msgspec.json.format(msgspec.json.encode(experiment), indent=2).decode() + "\n"


SETTINGS = RUNS[RUNS.index("clients") : RUNS.index("seed")]


def _readme(material: Material, found: list[Measured]) -> str:
    lines = [
        "What a class measured, as a log of polling-vs-websocket.",
        "Unpack it into a folder of its own and draw it with: python -m analysis THAT_FOLDER",
        "",
        "Each run is one mode of one measured run. Latencies are on the server's clock, as each",
        "page estimates it. Bytes, and a WebSocket's row in requests.csv (its part of the run),",
        "are the server's count: a page cannot see heads. arrived_ns and other figures that nobody",
        "measured are empty. everything/ has all that was reported, also outside of the runs.",
        "",
        *(f"{mode}: clocks are right within {_ms(error)}" for mode, error in _errors(material)),
        f"requests dropped for want of room: {material.requests.dropped}",
        f"deliveries dropped for want of room: {material.deliveries.dropped}",
        *(_left_out(number, run) for number, run in enumerate(material.runs, start=1)),
        *(f"run {each.run['run']} is void: {each.run['void_because']}" for each in found
          if not each.run["valid"]),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _errors(material: Material) -> list[tuple[str, float | None]]:
    return [(mode, material.clock_error_ms[mode]) for mode in MODES]


def _ms(error_ms: float | None) -> str:
    return "an unknown time" if error_ms is None else f"{error_ms:.1f} ms for nine readers of ten"


def _left_out(number: int, run: Run) -> str:
    if run.left_out is not None:
        return f"measured run {number} is left out: {run.left_out}"
    counts = {mode: (len(run.of(mode)), len(parts)) for mode, parts in taken(run).items()}
    told = ", ".join(f"{mode} {took} of {there}" for mode, (there, took) in counts.items())
    return f"measured run {number}: readers taken, as many of each mode: {told or 'none'}"
