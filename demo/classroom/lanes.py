"""Who reads on the page: each reader's counters, line and last bytes.

A reader is a name that a request brings, and names are free: how many are counted is bounded, so
that nobody can fill the memory with invented ones. Those long unseen make room; who comes while
there is none is answered all the same, and not counted.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec
from aiohttp import web

from demo.bounds import Bounds
from demo.classroom.delayed import DelayedTransport
from demo.classroom.line import Line
from demo.classroom.questions import Answers
from demo.classroom.rows import MAX_SERVED, Rows
from demo.classroom.settings import Mode
from demo.classroom.wire import Wire
from demo.listener import LISTENER
from demo.stats import Stats
from demo.tally import Tally, total

FORGET_S = 300.0  # a reader not seen for so long makes room for another when there is none
PRESENT_S = 10.0
MAX_STRANGERS = 10_000  # names; who is forgotten waits to be counted
SAMPLES = 8  # one a report, each 2 s: enough for rates over 10 s

MODES: tuple[Mode, ...] = ("short", "long", "ws")
Limit = Literal["readers", "readers_of_address", "readers_of_connection"]  # as in bounds.py


class Unknown(LookupError):
    """No reader of that name has read."""


class Arrival(msgspec.Struct, frozen=True):
    """How a request came: from which site (see bounds.py), over which connection."""

    site: str | None
    connection: object


class Session(msgspec.Struct, frozen=True):
    """A WebSocket that a reader has open."""

    epoch: str
    request: web.Request
    transport: DelayedTransport


class Lane:
    """One reader of the page."""

    def __init__(self, number: int, line: Line, first: Arrival) -> None:
        self.number = number
        self.first = first
        self.mode: Mode = "short"
        self.line = line
        self.wire = Wire()
        self.tallies: dict[Mode, Tally] = {}
        self.stand: tuple[str, int] | None = None  # epoch and cursor after its last answer
        self.session: Session | None = None  # its open WebSocket
        self.busy = 0  # requests that it waits for, and open WebSockets
        self.seen_s = 0.0
        self.reported_s: float | None = None
        self.clock_error_ms: float | None = None
        self.samples: deque[tuple[float, Mode, Tally]] = deque(maxlen=SAMPLES)
        self.report = -1  # number of its last report
        self.allowance = (0.0, float("-inf"))  # reports it may make, and when that was so
        self.guess: Answers | None = None

    def behind(self, epoch: str, head: int) -> int | None:
        """Return how many messages it has yet to get, None where that is unknown."""
        stand = self.stand
        if self.session is not None and LISTENER in self.session.request:
            unsent = self.session.transport.waiting()
            stand = (self.session.epoch, self.session.request[LISTENER].cursor - unsent)
        return head - stand[1] if stand is not None and stand[0] == epoch else None

    def total(self) -> Tally:
        """Return its counters, all modes together."""
        return total(self.tallies.values())


class Lanes:
    """All readers of the page, by the names they chose."""

    def __init__(self, stats: Stats, rtt_s: Callable[[], float], bounds: Bounds) -> None:
        self.bounds = bounds
        self.by_name: dict[str, Lane] = {}
        # Polls as the server saw them: reader, mode, then as Served in matching.py.
        self.served = Rows(8, MAX_SERVED)
        self._strangers: set[str] = set()  # who reads, and is not counted
        self._stats = stats
        self._rtt_s = rtt_s
        self._numbered = 0

    @property
    def uncounted(self) -> int:
        """How many requests brought a name for which there was no room."""
        refused = self._stats.refusals
        return refused.readers + refused.readers_of_address + refused.readers_of_connection

    def join(self, name: str, mode: Mode, arrival: Arrival) -> Lane | None:
        """Return the reader of this name, new or known, that reads now; None if there is no room.

        That is counted.
        """
        lane = self.by_name.get(name)
        now = asyncio.get_running_loop().time()
        if lane is None:
            if (limit := self._full(now, arrival)) is not None:
                self._stats.refusals.count(limit)
                self._note(name)
                return None
            self._make_room(now, arrival)
            self._strangers.discard(name)
            self._numbered += 1
            lane = self.by_name[name] = Lane(self._numbered, Line(self._rtt_s), arrival)
        lane.mode = mode
        lane.seen_s = now
        return lane

    def is_stranger(self, name: str, arrival: Arrival) -> bool:
        """Say whether a reader is answered, and is not counted."""
        if name in self.by_name:
            return False
        now = asyncio.get_running_loop().time()
        return name in self._strangers or self._full(now, arrival) is not None

    def known(self, name: str, mode: Mode | None = None) -> Lane:
        """Return a reader that has read, in `mode` if one is given; raise Unknown."""
        lane = self.by_name.get(name)
        if lane is None or (mode is not None and mode not in lane.tallies):
            way = "" if mode is None else f" in mode {mode}"
            known = "it is known from its first request on, unless the class is full"
            raise Unknown(f"no reader {name[:40]!r} has read{way} yet: {known}")
        return lane

    def tally(self, lane: Lane, mode: Mode) -> Tally:
        """Return a reader's counters of one mode; what they count, the mode's total has too."""
        if mode not in lane.tallies:
            lane.tallies[mode] = self._stats.share(mode)
        return lane.tallies[mode]

    def present(self) -> list[Lane]:
        """Return the readers that have reported within 10 s."""
        since = asyncio.get_running_loop().time() - PRESENT_S
        return [
            lane
            for lane in self.by_name.values()
            if lane.reported_s is not None and lane.reported_s >= since
        ]

    def _note(self, stranger: str) -> None:
        if len(self._strangers) >= MAX_STRANGERS:
            self._strangers.clear()
        self._strangers.add(stranger)

    def _full(self, now: float, arrival: Arrival) -> Limit | None:
        """Return which limit leaves no room for a reader; None if there is some, or can be made."""
        for limit, names, patience_s in self._beside(arrival):
            if self._are_many(limit, names) and not self._gone(names, now - patience_s):
                return limit
        return None

    def _make_room(self, now: float, arrival: Arrival) -> None:
        """Forget readers that are gone, where there are as many as there may be."""
        for limit, names, patience_s in self._beside(arrival):
            for name in self._gone(names, now - patience_s) if self._are_many(limit, names) else ():
                for mode, tally in self.by_name.pop(name).tallies.items():
                    self._stats.fold(mode, tally)

    def _are_many(self, limit: Limit, names: list[str]) -> bool:
        most = getattr(self.bounds, limit)
        return bool(most) and len(names) >= most

    def _beside(self, arrival: Arrival) -> Iterator[tuple[Limit, list[str], float]]:
        """Yield the readers among which room is to be found, and how long they may be unseen."""
        lanes = self.by_name
        if (site := arrival.site) is not None:  # else a proxy's, by whose connections all may come
            same = [name for name, lane in lanes.items() if lane.first.site == site]
            mine = [name for name in same if lanes[name].first.connection is arrival.connection]
            yield "readers_of_connection", mine, PRESENT_S
            yield "readers_of_address", [name for name in same if name in lanes], FORGET_S
        yield "readers", list(lanes), FORGET_S

    def _gone(self, names: list[str], unseen_since: float) -> list[str]:
        return [name for name in names if self._is_gone(self.by_name.get(name), unseen_since)]

    def _is_gone(self, lane: Lane | None, unseen_since: float) -> bool:
        if lane is None or lane.busy or lane.seen_s > unseen_since:
            return False
        return not any(tally.connections for tally in lane.tallies.values())
