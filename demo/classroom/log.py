"""What the class has measured, as runs of the project's log: one for each measured run and mode.

Modes are compared at equal settings, and the number of readers is one: of each mode as many are
taken as the smallest has, the first to have come. No file is written here.
"""

import itertools
from array import array
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from demo.classroom.cells import Heard
from demo.classroom.lanes import MODES
from demo.classroom.matching import Asked, Served, match
from demo.classroom.measured import Measured, Place
from demo.classroom.rows import Places, Rows, inside, no_places
from demo.classroom.run import Part, Run
from demo.classroom.settings import Mode

UNSEEN = -1


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


def measured_runs(material: Material) -> Iterator[Measured | None]:
    """Yield every run that is not left out, by mode; None now and then, so that one may pause."""
    pairs = Pairs(material.requests, material.served)
    yield from pairs.find()
    numbers = itertools.count(1)
    for setting, run in enumerate(run for run in material.runs if run.left_out is None):
        seen = Seen(material, pairs, run)
        for mode, parts in taken(run).items():
            number = next(numbers)
            yield Measured(Place(number, number, setting, mode), run, parts, seen)


def taken(run: Run) -> dict[Mode, list[Part]]:
    """Return the readers that stand for each mode, equally many."""
    there = {mode: run.of(mode) for mode in MODES if run.of(mode)}
    count = min(map(len, there.values()), default=0)
    return {mode: parts[:count] for mode, parts in there.items()}


class Pairs:
    """For each row of requests: where the server's row of the same is, and when it was asked."""

    def __init__(self, requests: Rows, served: Rows) -> None:
        self.served = array("q", [UNSEEN]) * len(requests)
        self.when_ns = array("q", [0]) * len(requests)
        self._requests = requests
        self._served = served

    def find(self) -> Iterator[None]:
        """Find them, a reader at each step."""
        seen = self._served.places()
        yield
        for whose, places in self._requests.places().items():
            self._pair(places, seen[whose])
            yield

    def _pair(self, places: "array[int]", seen: "array[int]") -> None:
        rows = sorted((self._requests[place][2:], place) for place in places)
        known = [Served(*self._served[place][2:]) for place in seen]
        found = match([Asked(*row) for row, _ in rows], known)
        for (_, place), (request, at) in zip(rows, found, strict=True):
            self.when_ns[place] = request.started_ns
            if at is not None:
                self.served[place] = seen[at]
                self.when_ns[place] = known[at].begun_ns


class Seen:
    """What is known of a run: where its rows are, by reader and mode."""

    def __init__(self, material: Material, pairs: Pairs, run: Run) -> None:
        window = run.started_ns, run.ends_ns
        self._material = material
        self._pairs = pairs
        self._asked = self._of_readers(inside(pairs.when_ns, *window))
        self._served = material.served.inside(2, *window)
        self._heard = material.deliveries.inside(3, *window)

    def asked(self, reader: int, mode: Mode) -> Iterator[tuple[Asked, Served | None]]:
        """Yield a reader's polls, each with what the server saw of it; None where unknown."""
        requests, served = self._material.requests, self._material.served
        places = self._asked[reader, MODES.index(mode)]
        for row, place in sorted((requests[place][2:], place) for place in places):
            found = self._pairs.served[place]
            yield Asked(*row), None if found == UNSEEN else Served(*served[found][2:])

    def served(self, reader: int, mode: Mode) -> int:
        """Return how many polls the server answered."""
        return len(self._served[reader, MODES.index(mode)])

    def reached(self, reader: int, mode: Mode) -> int:
        """Return how many deliveries the reader reports."""
        return len(self._heard[reader, MODES.index(mode)])

    def heard(self, reader: int, mode: Mode) -> Iterator[Heard]:
        """Yield what reached a reader, in the order in which it said so."""
        for place in self._heard[reader, MODES.index(mode)]:
            yield Heard(*self._material.deliveries[place][2:])

    def _of_readers(self, places: Iterator[int]) -> Places:
        found = no_places()
        for place in places:
            reader, mode, *_ = self._material.requests[place]
            found[reader, mode].append(place)
        return found
