"""Counters of the server: what each mode cost, counted where it happened.

Bytes are counted at the transport: every byte taken from and handed to TCP, heads and frames
included. This is the server's own count; the clients keep theirs, and the two must agree.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, cast

import msgspec
import psutil
from aiohttp import web

from demo.lag import Lag
from demo.rates import Bucket
from demo.refusals import Refusals


class Tally(msgspec.Struct):
    """What one mode has cost since the server started.

    requests: requests begun, upgrades and refused ones included
    empty: responses that said "nothing new" (204)
    gaps: readers told that messages they had not read are gone (410 or close code 4410)
    deliveries: messages written to a reader
    bytes_in, bytes_out: bytes taken from and handed to TCP by connections in this mode
    connections: TCP connections open now, each counted under the mode of its last request
    stalled: connections cut off since their reader took nothing of a poll's answer for
        --stall-timeout-s, or did not answer the close after a gap within 2 s
    silent: WebSockets cut off since their reader did not answer a ping: 36 to 45 s after its last
        sign of life
    """

    requests: int = 0
    empty: int = 0
    gaps: int = 0
    deliveries: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    connections: int = 0
    stalled: int = 0
    silent: int = 0


class Meter:
    """Count one connection's bytes for the mode that uses it.

    A connection may carry requests of several modes in turn. What arrives is held until a handler
    claims it; what is sent belongs to the last claim, since answers come in order.
    """

    __slots__ = ("claims", "pending", "said", "streaming", "tally")

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.tally.connections += 1
        self.pending = 0  # bytes of a request that no handler has claimed yet
        self.claims = 0
        self.said: Bucket | None = None  # of the messages that are published over it
        self.streaming = False

    def received(self, size: int) -> None:
        """Count bytes that came from the peer."""
        if self.streaming:
            self.tally.bytes_in += size
        else:
            self.pending += size

    def claim(self, tally: Tally) -> None:
        """Count what has arrived for `tally`, and what is sent from now on."""
        self.claims += 1
        self.tally.connections -= 1
        self.tally = tally
        self.tally.connections += 1
        self._settle()

    def stream(self) -> None:
        """Count all that is still to come for the same tally: no other request can follow."""
        self.streaming = True
        self._settle()

    def close(self) -> None:
        """Count the rest: the connection is gone."""
        self._settle()
        self.tally.connections -= 1

    def _settle(self) -> None:
        self.tally.bytes_in += self.pending
        self.pending = 0


class MeteredTransport:
    """A transport that counts what is written; all else goes straight to the real one."""

    __slots__ = ("_transport", "meter", "protocol")

    def __init__(
        self, transport: asyncio.Transport, meter: Meter, protocol: "MeteredProtocol"
    ) -> None:
        self.meter = meter
        self.protocol = protocol
        self.lead(transport)

    @property
    def below(self) -> asyncio.Transport:
        """The transport that is written to."""
        return self._transport

    def lead(self, transport: asyncio.Transport) -> None:
        """Write to `transport` from now on."""
        self._transport = transport

    @property
    def write_uncounted(self) -> Callable[[bytes], None]:
        """The real one's own: for a fan-out, which counts for its listeners."""
        return self._transport.write

    def write(self, data: bytes) -> None:
        """Write `data` and count it."""
        self.meter.tally.bytes_out += len(data)
        self._transport.write(data)

    def writelines(self, chunks: list[bytes]) -> None:
        """Write all `chunks` and count them."""
        self.meter.tally.bytes_out += sum(map(len, chunks))
        self._transport.writelines(chunks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


GONE = asyncio.Protocol()


class MeteredProtocol(asyncio.Protocol):
    """Stand between a transport and aiohttp's protocol, and count what passes."""

    # Thousands are open at once.
    __slots__ = ("_counting", "_inner", "_meter")

    def __init__(self, inner: asyncio.Protocol, tally: Tally) -> None:
        self._inner = inner
        self._meter = Meter(tally)

    def lead(self, inner: asyncio.Protocol) -> None:
        """Pass all that comes to `inner` from now on."""
        self._inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand aiohttp the counting transport."""
        self._counting = MeteredTransport(cast(asyncio.Transport, transport), self._meter, self)
        self._inner.connection_made(cast(asyncio.Transport, self._counting))

    def pause_writing(self) -> None:
        """Pass on."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Pass on."""
        self._inner.resume_writing()

    def eof_received(self) -> bool | None:
        """Pass on."""
        return self._inner.eof_received()

    def data_received(self, data: bytes) -> None:
        """Count, then pass on."""
        self._meter.received(len(data))
        self._inner.data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on, then settle."""
        self._inner.connection_lost(exc)
        self._meter.close()
        self._inner = GONE  # which leads back here, and collections are seldom


class Stats:
    """The counters of every mode, of publishing, and of all other requests."""

    def __init__(self, modes: list[str]) -> None:
        self.modes = {mode: Tally() for mode in modes}
        self._shares: dict[str, list[Tally]] = {mode: [] for mode in modes}
        self.publish = Tally()
        self.other = Tally()
        self.refusals = Refusals()
        self.process = psutil.Process()
        self.lag = Lag()
        self._started = time.monotonic()

    def share(self, mode: str) -> Tally:
        """Return new counters, of one reader, that the mode's totals contain."""
        tally = Tally()
        self._shares[mode].append(tally)
        return tally

    def fold(self, mode: str, share: Tally) -> None:
        """Keep what a reader's counters say, and no longer whose it was."""
        self._shares[mode] = [tally for tally in self._shares[mode] if tally is not share]
        self.modes[mode] = total([self.modes[mode], share])

    def snapshot(self) -> dict[str, Any]:
        """All counters as JSON types.

        cpu_s: the process's user and system time; rss_bytes: its memory
        loop_lag_max_ms: by how much its event loop was late at most in the last 10 seconds
        limits: how often each limit was met, see refusals.py
        """
        return {
            "uptime_s": time.monotonic() - self._started,
            "cpu_s": time.process_time(),
            "rss_bytes": self.process.memory_info().rss,
            "loop_lag_max_ms": self.lag.max_ms,
            "modes": {mode: msgspec.to_builtins(self._total(mode)) for mode in self.modes},
            "publish": msgspec.to_builtins(self.publish),
            "other": msgspec.to_builtins(self.other),
            "limits": msgspec.to_builtins(self.refusals),
        }

    def _total(self, mode: str) -> Tally:
        return total([self.modes[mode], *self._shares[mode]])


def total(tallies: Iterable[Tally]) -> Tally:
    """Add counters up."""
    rows = [msgspec.structs.astuple(tally) for tally in tallies]
    return Tally(*map(sum, zip(*rows, strict=True)))


STATS = web.AppKey("STATS", Stats)
COUNTED = web.RequestKey("COUNTED", bool)


def begin(request: web.Request, tally: Tally) -> Tally:
    """Count a request and the bytes of its connection for `tally`, and note that on the request."""
    request[COUNTED] = True
    return count(request, tally)


def count(request: web.Request, tally: Tally) -> Tally:
    """Count the same where nobody will ask for the note, which a held poll would keep."""
    tally.requests += 1
    meter = meter_of(request)
    if meter is not None:
        meter.claim(tally)
    return tally


def stream(request: web.Request) -> None:
    """Count all bytes of the connection from now on as the request's: it has been upgraded."""
    meter = meter_of(request)
    if meter is not None:
        meter.stream()


def meter_of(request: web.Request) -> Meter | None:
    """Return what counts the request's connection, if anything does."""
    return getattr(request.transport, "meter", None)  # aiohttp's own test server has none


def counted(request: web.Request) -> bool:
    """Say whether a handler has counted the request."""
    return COUNTED in request
