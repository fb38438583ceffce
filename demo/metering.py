"""Count the bytes of a connection at its transport: heads and frames included.

This is the server's own count; the clients keep theirs, and the two must agree.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any, cast

from aiohttp import web

from demo.rates import Bucket
from demo.tally import Tally


class Meter:
    """Count one connection's bytes for the mode that uses it.

    A connection may carry requests of several modes in turn. What arrives is held until a handler
    claims it; what is sent belongs to the last claim, since answers come in order.
    """

    __slots__ = ("claims", "opened_s", "part", "pending", "said", "streaming", "tally")

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.tally.connections += 1
        self.pending = 0  # bytes of a request that no handler has claimed yet
        self.claims = 0
        self.opened_s = time.monotonic()
        # Of the messages that are published over it: so many, and of its part of its address's.
        self.said: Bucket | None = None
        self.part: Bucket | None = None
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
        self.settle()

    def stream(self) -> None:
        """Count all that is still to come for the same tally: no other request can follow."""
        self.streaming = True
        self.settle()

    def close(self) -> None:
        """Count the rest: the connection is gone."""
        self.settle()
        self.tally.connections -= 1

    def settle(self) -> None:
        """Count what has arrived for the last claim."""
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


def stream(request: web.Request) -> None:
    """Count all bytes of the connection from now on as the request's: it has been upgraded."""
    meter = meter_of(request)
    if meter is not None:
        meter.stream()


def meter_of(request: web.Request) -> Meter | None:
    """Return what counts the request's connection, if anything does."""
    return getattr(request.transport, "meter", None)  # aiohttp's own test server has none
