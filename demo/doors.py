"""Let connections in within bounds, and cut off those that hold one and give nothing.

Who may not come in, or takes too long to ask, is told why. What a request costs is not touched: all
is done when a connection opens and closes, and by a watch that goes round every few seconds.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from demo.bounds import Bounds
from demo.farewell import Farewell
from demo.files import are_scarce
from demo.metering import GONE
from demo.outage import Outage
from demo.refusals import Refusals
from demo.sites import PerSite
from demo.stats import Stats
from demo.tally import Tally
from demo.timed import TimedProtocol

WATCH_S = 5.0  # twice so much later than its bound says may a connection be cut off
TURN = 500  # connections looked at before others get a turn
NO_FILES_LEFT = (
    "No more files may be open: who connects is hung up on until others have gone (ulimit -n)"
)


class Doors:
    """The connections of a server."""

    def __init__(self, bounds: Bounds, stats: Stats, say: Callable[[str], None]) -> None:
        self.bounds = bounds
        self.farewells: set[asyncio.BaseTransport] = set()
        self.nobody = asyncio.Event()  # set when all have gone, once the doors are closed
        self._outage = Outage(say)
        self._closed = False
        self._stats = stats
        self._open: set[DoorProtocol] = set()
        self._of_site = PerSite()

    @property
    def refusals(self) -> Refusals:
        """The counters of what was refused."""
        return self._stats.refusals

    def guarded(self, factory: Callable[[], asyncio.Protocol]) -> Callable[[], asyncio.Protocol]:
        """Wrap a protocol factory, so that its connections are bounded, and counted."""
        return lambda: DoorProtocol(factory(), self._stats.other, self)

    def enter(self, protocol: "DoorProtocol", address: str | None) -> str | None:
        """Let a connection in; or return why not."""
        bounds, site = self.bounds, self.bounds.site(address)
        if self._closed:
            return "the server stops"
        if bounds.connections and len(self._open) >= bounds.connections:
            self.refusals.connections += 1
            return f"the server has all the {bounds.connections} connections of --max-connections"
        if site is not None:
            if self._of_site.has(site, bounds.of_address):
                self.refusals.of_address += 1
                line = f"your address has all the {bounds.of_address} connections"
                return f"{line} of --max-connections-per-address"
            self._of_site.more(site)
        protocol.site = site
        self._open.add(protocol)
        return None

    def open_of(self, site: str) -> int:
        """Return how many connections of a site are open."""
        return self._of_site.count(site)

    def lack_files(self) -> bool:
        """Say whether a new connection takes one of the last open files, and must go at once."""
        if not are_scarce():
            return False
        self.note_no_files()
        return True

    def note_no_files(self) -> None:
        """Count a connection for which there is no file, and tell of it once."""
        self.refusals.files += 1
        self._outage.begin(NO_FILES_LEFT)

    def leave(self, protocol: "DoorProtocol") -> None:
        """Forget a connection that has gone."""
        self._open.remove(protocol)
        self._of_site.less(protocol.site)
        self._note_if_empty()

    async def close(self) -> None:
        """Let nobody in any more, and hang up on all when what is under way has been answered."""
        self._closed = True
        self._note_if_empty()
        for number, protocol in enumerate(tuple(self._open), 1):
            protocol.hang_up()
            if number % TURN == 0:
                await asyncio.sleep(0)

    def cut_off(self) -> int:
        """Abort all that is open; return how many there were."""
        for transport in tuple(self.farewells):
            cast(asyncio.Transport, transport).abort()
        for protocol in (left := tuple(self._open)):
            protocol.cut_off()
        return len(left)

    def _note_if_empty(self) -> None:
        if self._closed and not self._open:
            self.nobody.set()

    async def watch(self) -> None:
        """Look after the open connections for ever."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(WATCH_S)
            if are_scarce():
                self._outage.begin(NO_FILES_LEFT)  # uvloop may have hung up, and says nothing
            else:  # and not at each connection, of which some may still find a file
                self._outage.end("More files may be open again: who connects is let in")
            for number, protocol in enumerate(tuple(self._open), 1):
                if protocol in self._open:  # others had their turn meanwhile
                    protocol.look(loop.time(), self.bounds, self.refusals)
                if number % TURN == 0:
                    await asyncio.sleep(0)


DOORS = web.AppKey("DOORS", Doors)


class DoorProtocol(TimedProtocol):
    """A counted connection that came in by the doors."""

    __slots__ = ("_doors", "_left", "site")

    def __init__(self, inner: asyncio.Protocol, tally: Tally, doors: Doors) -> None:
        super().__init__(inner, tally)
        self.site: str | None = None
        self._doors = doors
        self._left = False  # its peer has hung up

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection on, or refuse it."""
        self._transport = cast(asyncio.Transport, transport)
        if self._doors.lack_files():
            self._meter.close()
            self._transport.set_protocol(GONE)
            self._transport.abort()  # no word: that would keep the file open
            return
        peer = transport.get_extra_info("peername")
        refusal = self._doors.enter(self, peer[0] if peer else None)
        if refusal is None:
            super().connection_made(transport)
        else:
            self._meter.close()
            Farewell(self._transport, refusal, self._doors.farewells)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on, then count it off."""
        self._count_if_idle(exc)
        super().connection_lost(exc)
        self._doors.leave(self)

    def eof_received(self) -> bool | None:
        """Note that the peer has hung up, and pass on."""
        self._left = True
        return super().eof_received()

    def hang_up(self) -> None:
        """Close the connection when nothing is under way on it; a WebSocket is told otherwise."""
        if self._meter.streaming or not isinstance(self._inner, RequestHandler):
            return
        if self._is_at_work():
            self._inner.close()
        else:
            self._inner.force_close()

    def cut_off(self) -> None:
        """Abort the connection."""
        self._transport.abort()

    def _count_if_idle(self, exc: Exception | None) -> None:
        """Count a connection that aiohttp has closed since nothing was asked."""
        inner = self._inner
        if exc is not None or self._left or not isinstance(inner, RequestHandler):
            return
        if inner._keepalive and not (self._meter.streaming or self._is_at_work()):  # noqa: SLF001
            # Else it was answered, and closed.
            due = inner._next_keepalive_close_time  # noqa: SLF001
            self._doors.refusals.idle += asyncio.get_running_loop().time() >= due
