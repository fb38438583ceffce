"""Who reads on the page: each reader's counters, line and last bytes. At most 1,000 at a time."""

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec
from aiohttp import web

from demo.classroom.delayed import DelayedTransport
from demo.classroom.line import Line
from demo.classroom.rows import MAX_SERVED, Rows
from demo.classroom.settings import Mode
from demo.classroom.wire import Wire
from demo.fanout import LISTENER
from demo.stats import Stats, Tally, total

MAX_READERS = 1000
FORGET_S = 300.0  # a reader not seen for so long makes room for another when there is none
PRESENT_S = 10.0
SAMPLES = 8  # one a report, each 2 s: enough for rates over 10 s

MODES: tuple[Mode, ...] = ("short", "long", "ws")


class Full(Exception):
    """There are as many readers as are counted."""


class Session(msgspec.Struct, frozen=True):
    """A WebSocket that a reader has open."""

    epoch: str
    request: web.Request
    transport: DelayedTransport


class Lane:
    """One reader of the page."""

    def __init__(self, number: int, line: Line) -> None:
        self.number = number
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

    def behind(self, epoch: str, head: int) -> int | None:
        """Return how many messages it has yet to get, None where that is unknown."""
        stand = self.stand
        if self.session is not None and LISTENER in self.session.request:
            unsent = self.session.transport.waiting()
            stand = (self.session.epoch, self.session.request[LISTENER].cursor - unsent)
        return head - stand[1] if stand is not None and stand[0] == epoch else None

    def total(self) -> Tally:
        """Return its counters, all modes together."""
        return total([Tally(), *self.tallies.values()])


class Lanes:
    """All readers of the page, by the names they chose."""

    def __init__(self, stats: Stats, rtt_s: Callable[[], float]) -> None:
        self.by_name: dict[str, Lane] = {}
        # Polls as the server saw them: reader, mode, then as Served in matching.py.
        self.served = Rows(8, MAX_SERVED)
        self._stats = stats
        self._rtt_s = rtt_s
        self._numbered = 0

    def join(self, name: str, mode: Mode) -> Lane:
        """Return the reader of this name, new or known; raise Full."""
        lane = self.by_name.get(name)
        now = asyncio.get_running_loop().time()
        if lane is None:
            self._make_room(now)
            self._numbered += 1
            lane = self.by_name[name] = Lane(self._numbered, Line(self._rtt_s))
        lane.mode = mode
        lane.seen_s = now
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

    def _make_room(self, now: float) -> None:
        if len(self.by_name) < MAX_READERS:
            return
        for name, lane in tuple(self.by_name.items()):
            open_connections = sum(tally.connections for tally in lane.tallies.values())
            if now - lane.seen_s > FORGET_S and not lane.busy and not open_connections:
                del self.by_name[name]
                for mode, tally in lane.tallies.items():
                    self._stats.fold(mode, tally)
        if len(self.by_name) >= MAX_READERS:
            raise Full(f"the class is full: at most {MAX_READERS} readers, come back in 5 minutes")
