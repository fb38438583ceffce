"""Count what a client hands to TCP and takes from it, byte by byte, under aiohttp's client.

This is the client's own count, made apart from the server's on purpose: the two must agree.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import aiohttp
from aiohttp.client_proto import ResponseHandler

from clients.frames import Frames
from clients.records import Exchange


class Tap:
    """A copy of the bytes of one exchange, up and down, as they were on the socket.

    messages: how many it brought
    """

    def __init__(self) -> None:
        self.messages = 0
        self.up = bytearray()
        self.down = bytearray()

    def exchange(self) -> Exchange:
        """Return the bytes as the log keeps them."""
        return Exchange(self.up.decode("latin-1"), self.down.decode("latin-1"))


class Meter:
    """What one client's connections have carried, one connection after another.

    bytes_up, bytes_down: all bytes so far
    connection: number of the newest TCP connection within the run
    arrived_ns: when the last bytes came; frames: what they are, while a WebSocket is open
    tap: gets a copy of every byte, if there is one
    """

    def __init__(self, next_connection: Callable[[], int]) -> None:
        self.bytes_up = 0
        self.bytes_down = 0
        self.connection = 0
        self.arrived_ns = 0
        self._next_connection = next_connection
        self._transport: asyncio.Transport
        self.frames: Frames | None = None
        self.tap: Tap | None = None

    def opened(self, transport: asyncio.Transport) -> None:
        """Number a connection."""
        self.connection = self._next_connection()
        self._transport = transport

    def cut_off(self) -> None:
        """End the newest connection at once, whatever is on its way."""
        self._transport.abort()

    def sent(self, *chunks: bytes) -> None:
        """Count bytes that are handed to TCP."""
        for chunk in chunks:
            self.bytes_up += len(chunk)
            if self.tap is not None:
                self.tap.up += chunk

    def received(self, data: bytes) -> None:
        """Count bytes, and stamp their arrival before anything else is done with them."""
        self.arrived_ns = time.perf_counter_ns()
        self.bytes_down += len(data)
        if self.tap is not None:
            self.tap.down += data
        if self.frames is not None:
            self.frames.received(data, self.arrived_ns)


class _MeteredTransport:
    """A transport that counts what is written; all else goes straight to the real one."""

    def __init__(self, transport: asyncio.Transport, meter: Meter) -> None:
        self._transport = transport
        self._meter = meter

    def write(self, data: bytes) -> None:
        self._meter.sent(data)
        self._transport.write(data)

    def writelines(self, chunks: list[bytes]) -> None:
        self._meter.sent(*chunks)
        self._transport.writelines(chunks)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class _CountingProtocol(asyncio.Protocol):
    """Stand between the transport and aiohttp's protocol, and count what comes.

    aiohttp's protocol hands bytes that came with a 101 to itself again, so it cannot count them.
    """

    def __init__(self, inner: ResponseHandler, meter: Meter) -> None:
        self._meter = meter
        self._feed = inner.data_received
        self.connection_lost = inner.connection_lost  # type: ignore[method-assign]
        self.eof_received = inner.eof_received  # type: ignore[method-assign]
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        self._meter.received(data)
        self._feed(data)


class _MeteredHandler(ResponseHandler):
    """aiohttp's client protocol between a counter of what comes and a counter of what goes."""

    def __init__(self, meter: Meter, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._meter = meter

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        below = cast(asyncio.Transport, transport)
        self._meter.opened(below)
        transport.set_protocol(_CountingProtocol(self, self._meter))
        counting = _MeteredTransport(below, self._meter)
        super().connection_made(cast(asyncio.Transport, counting))


class MeteredConnector(aiohttp.TCPConnector):
    """Open connections that `meter` counts.

    The protocol is the one place that sees every byte on asyncio and uvloop alike: a counting
    socket is passed by under uvloop, and aiohttp's tracing sees bodies only.
    """

    def __init__(self, meter: Meter, **options: Any) -> None:
        super().__init__(**options)
        self._factory = partial(_MeteredHandler, meter, loop=self._loop)  # type: ignore[assignment]
