"""One mode of a class's run as the project's log has it: its rows, its totals and its verdict."""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from demo.classroom.cells import (
    FIXED,
    Heard,
    Row,
    bodies,
    delivery,
    frames,
    poll,
    session,
    settings,
)
from demo.classroom.matching import Asked, Served
from demo.classroom.run import Cell, Part, Run
from demo.classroom.settings import Mode
from demo.classroom.verdict import continuity, p99, reasons


class Place(msgspec.Struct, frozen=True):
    """Which run of the log this is."""

    run: int
    order: int
    setting: int
    mode: Mode


class Seen(Protocol):
    """What is known of the readers of a run."""

    def asked(self, reader: int, mode: Mode) -> Iterator[tuple[Asked, Served | None]]:
        """Yield a reader's polls, each with what the server saw of it; None where unknown."""

    def served(self, reader: int, mode: Mode) -> int:
        """Return how many polls the server answered."""

    def reached(self, reader: int, mode: Mode) -> int:
        """Return how many deliveries the reader reports."""

    def heard(self, reader: int, mode: Mode) -> Iterator[Heard]:
        """Yield what reached a reader, in order."""


class Spent:
    """What the requests of a run have cost, added up one by one."""

    def __init__(self) -> None:
        self.requests = self.body_bytes = 0
        self._sizes: dict[str, int | None] = {"bytes_up": 0, "bytes_down": 0}
        self._connections: set[tuple[Cell, Cell]] = set()

    def add(self, row: Row, body_bytes: int) -> None:
        """Count a request."""
        if not self.requests:
            self._sizes = dict.fromkeys(self._sizes)  # nothing is known of any yet
        self.requests += 1
        self.body_bytes += body_bytes
        self._connections.add((row["client"], row["connection"]))
        for name, size in self._sizes.items():
            more = row[name]
            if isinstance(more, int):
                self._sizes[name] = (size or 0) + more

    def totals(self) -> Row:
        """Return the totals."""
        connections = len(self._connections)
        return {"requests": self.requests, "connections": connections, **self._sizes}

    def parts(self) -> Row:
        """Return what the bytes consist of, of those requests whose bytes are known."""
        up, down = (size or 0 for size in self._sizes.values())
        return bodies(up, down, self.body_bytes)


class Measured:
    """A run in one mode: a row of runs.csv, and its rows of requests.csv and deliveries.csv.

    The row is worked out once; the others, which may be millions, are made as they are asked for.
    """

    def __init__(self, place: Place, run: Run, parts: Sequence[Part], seen: Seen) -> None:
        self._place = place
        self._run = run
        self._parts = parts
        self._seen = seen
        self.run = self._row()

    def requests(self) -> Iterator[Row]:
        """Yield the run's requests, reader by reader."""
        return (row for row, _ in self._requests())

    def deliveries(self) -> Iterator[Row]:
        """Yield the run's deliveries, reader by reader."""
        for part in self._parts:
            for heard in self._seen.heard(part.number, self._place.mode):
                yield {**self._whose(part), **delivery(heard, self._run)}

    def _row(self) -> Row:
        run, mode = self._run, self._place.mode
        readers = [part.number for part in self._parts]
        spent = Spent()
        for row, body_bytes in self._requests():
            spent.add(row, body_bytes)
        served = [self._seen.served(reader, mode) for reader in readers]
        heard = ([each.message for each in self._seen.heard(reader, mode)] for reader in readers)
        totals: Row = {
            **settings(run, len(readers)),
            "window_start_ns": run.started_ns,
            "window_end_ns": run.ends_ns,
            "first_message": run.first_message,
            "messages": run.messages,
            "published": run.messages,
            "deliveries": sum(self._seen.reached(reader, mode) for reader in readers),
            "server_requests": len(readers) if mode == "ws" else sum(served),
            **spent.totals(),
            "publisher_late_p99_ms": p99(run.late_ms),
            **(frames(self._parts) if mode == "ws" else spent.parts()),
            **continuity(heard, run),
        }
        void = [*run.faults, *reasons(totals, run)]
        verdict: Row = {"valid": not void, "void_because": "; ".join(void)}
        where: Row = {**msgspec.structs.asdict(self._place), "started_utc": run.started_utc}
        return {**where, **FIXED, **totals, **verdict}

    def _requests(self) -> Iterator[tuple[Row, int]]:
        """Yield the rows of requests.csv, each with the size of the answer's body."""
        for part in self._parts:
            if self._place.mode == "ws":
                yield {**self._whose(part), **session(self._run, part)}, 0
                continue
            for asked, seen in self._seen.asked(part.number, self._place.mode):
                row = {**self._whose(part), **poll(asked, seen)}
                yield row, 0 if seen is None else seen.body_bytes

    def _whose(self, part: Part) -> Row:
        return {"run": self._place.run, "client": part.number}
