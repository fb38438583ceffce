"""What a WebSocket's reader sends, handed on when its line has brought it. Nothing is written here.

A reader that sends more than MAX_UNREAD_BYTES ahead is cut off.
"""

import asyncio
from collections import deque
from typing import cast

from demo.classroom.delayed import KEPT_BYTES, DelayedTransport
from demo.classroom.framing import is_text
from demo.classroom.line import Line

MAX_UNREAD_BYTES = 256 * 1024


class DelayedProtocol(asyncio.Protocol):
    """Stand before a connection's protocol, and hand on what its reader sends by and by."""

    def __init__(self, transport: DelayedTransport, line: Line) -> None:
        self.last_text = b""
        self._inner = inner = cast(asyncio.Protocol, transport.below.get_protocol())
        self._transport = transport
        self._line = line
        self._queue: deque[bytes] = deque()
        self._unread = 0
        self._lost = False
        self.pause_writing = inner.pause_writing  # type: ignore[method-assign]
        self.resume_writing = inner.resume_writing  # type: ignore[method-assign]
        transport.below.set_protocol(self)

    def step_aside(self) -> None:
        """Hand on what waits, and leave the connection to the protocol that was there before."""
        while self._queue:
            self._hand_on()
        if not self._lost:
            self._transport.below.set_protocol(self._inner)

    def data_received(self, data: bytes) -> None:
        """Hand on now, or when the line has brought it."""
        if len(data) <= KEPT_BYTES and is_text(data):
            self.last_text = data
        delay_s = self._line.one_way_s
        if not delay_s and not self._queue:
            self._inner.data_received(data)
            return
        self._queue.append(data)
        self._unread += len(data)
        if self._unread > MAX_UNREAD_BYTES:
            self._transport.cut_off()
            return
        asyncio.get_running_loop().call_later(delay_s, self._hand_on)

    def eof_received(self) -> bool | None:
        """Pass on: whoever ends here has been heard out."""
        while self._queue:
            self._hand_on()
        return self._inner.eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        """Pass on; what had not arrived never will."""
        self._lost = True
        self._queue.clear()
        self._inner.connection_lost(exc)

    def _hand_on(self) -> None:
        if self._queue:  # not all have been handed on before their time
            data = self._queue.popleft()
            self._unread -= len(data)
            self._inner.data_received(data)
