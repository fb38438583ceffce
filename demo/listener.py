"""One WebSocket that reads the feed: how it is greeted, and told that what it asks for is gone."""

import asyncio

from aiohttp import web

from demo.answers import notice
from demo.feed import Feed, Gap
from demo.frames import text_frame
from demo.message import Hello, encode
from demo.metering import MeteredTransport
from demo.peer import Peer
from demo.tally import Tally

GAP_CODE = 4410  # in the range for private use, RFC 6455 section 7.4.2
CUT_OFF_S = 2.0  # how long a reader that fell behind may take to read why


class Listener:
    """One WebSocket that reads the feed, with its cursor."""

    __slots__ = ("cursor", "is_closing", "tally", "transport", "unsent_bytes", "write", "ws")

    def __init__(
        self,
        ws: web.WebSocketResponse | Peer,
        transport: MeteredTransport,
        cursor: int,
        tally: Tally,
    ) -> None:
        self.ws = ws
        self.transport = transport
        self.cursor = cursor
        self.tally = tally
        # Bound once: these are asked for every recipient of every message. The fan-out counts the
        # bytes of `write` itself.
        self.is_closing = transport.is_closing
        self.unsent_bytes = transport.get_write_buffer_size
        self.write = getattr(transport, "write_uncounted", transport.write)

    @property
    def open(self) -> bool:
        """Whether a frame may be written: not before, and not after, the closing handshake."""
        return not (self.ws.closed or self.is_closing())


LISTENER = web.RequestKey("LISTENER", Listener)  # of an upgrade that has become a listener


async def greet(listener: Listener, feed: Feed, epoch: str) -> bool:
    """Say where a listener starts to read; or that it cannot, and close. Return whether it can."""
    try:
        feed.check(listener.cursor, epoch)
    except Gap as gap:
        await tell_gap(listener, feed, gap)
        return False
    if listener.open:  # it may have said goodbye with its request
        listener.transport.write(text_frame(encode(Hello(feed.epoch, listener.cursor))))
    return True


async def tell_gap(listener: Listener, feed: Feed, gap: Gap) -> None:
    """Say what is gone in a frame, close with 4410, and abort if the reader does not read."""
    if not listener.open:
        return
    listener.tally.gaps += 1
    listener.transport.write(text_frame(encode(notice(feed, gap))))
    # Set before the close, which itself waits up to 10 s for an answer.
    asyncio.get_running_loop().call_later(CUT_OFF_S, _cut_off, listener)
    await listener.ws.close(code=GAP_CODE, message=b"gap", drain=False)


def _cut_off(listener: Listener) -> None:
    # It may be closing since its handler has ended, and wait for its reader to take the rest.
    if not listener.is_closing() or listener.unsent_bytes():
        listener.tally.stalled += 1
    listener.transport.abort()
