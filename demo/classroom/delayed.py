"""A connection over a reader's line: bytes wait, first in, first out, for as long as the line says.

No request is read and no answer made here. What waits is bounded: a WebSocket that is owed more
than MAX_OWED_BYTES is cut off; a poll is owed no more than one answer.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from typing import Any, cast

from demo.classroom.framing import frames, is_text, text_bytes
from demo.classroom.line import Line
from demo.metering import MeteredTransport
from demo.tally import Tally

SLICE_S = 0.05  # a slow line lets go so much at a time
MAX_OWED_BYTES = 1024 * 1024  # aiohttp's answers to pings and refusals come past the fan-out
FULL = 128 * 1024  # what a slow line says is unsent when it holds a second's worth: give it no more
KEPT_BYTES = 8 * 1024
HTTP = b"HTTP/"  # how an answer begins, and no frame


class DelayedTransport:
    """A transport whose writes leave when the line lets them."""

    def __init__(
        self, below: asyncio.Transport, line: Line, tally: Tally, *, owes: int | None = None
    ) -> None:
        self.below = below
        self.written = 0  # bytes
        self.head = b""  # the first bytes written
        self.last_text = b""  # the last write that began with a text frame
        self._line = line
        self._tally = tally
        self._limit = owes
        self._queue: deque[tuple[float, bool, bytes]] = deque()
        self._owed = 0
        self._closing = False
        self._timer: asyncio.TimerHandle | None = None
        self._sent = asyncio.Event()
        self._sent.set()
        line.carried.add(self)

    def write(self, data: bytes) -> None:
        """Write when the line lets it; at once, if it is as good as a wire."""
        self._count(data)
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = now + self._line.one_way_s
        if not self._queue and self._line.leaves_at(due) <= now and not self._line.bytes_per_s:
            self.below.write(data)
            return
        self._queue.extend((due, text, piece) for text, piece in self._pieces(data))
        self._owed += len(data)
        self._sent.clear()
        if self._limit is not None and self._owed > self._limit:
            self.cut_off()
        elif self._timer is None:
            self._wait(due)

    def writelines(self, chunks: list[bytes]) -> None:
        """Write all chunks."""
        self.write(b"".join(chunks))

    def get_write_buffer_size(self) -> int:
        """Return what is unsent; more than any limit once a slow line holds a second's worth."""
        if self._line.bytes_per_s and self._owed > self._line.bytes_per_s:
            return FULL
        return self._owed + self.below.get_write_buffer_size()

    def is_closing(self) -> bool:
        """Whether nothing more can be written."""
        return self._closing or self.below.is_closing()

    def close(self) -> None:
        """Close when all has left."""
        self._closing = True
        if not self._queue:
            self.below.close()

    def abort(self) -> None:
        """Drop what waits, and the connection."""
        self._drop()
        self.below.abort()

    def cut_off(self) -> None:
        """Drop the connection of a reader that the line cannot keep up with, and count that."""
        self._tally.stalled += not self.is_closing()
        self.abort()

    async def sent(self) -> None:
        """Wait until all that was written has left."""
        await self._sent.wait()

    def poke(self) -> None:
        """Look again at what may leave: the line has changed."""
        if self._timer is not None:
            self._timer.cancel()
            self._wait(0.0)

    def release(self) -> None:
        """Leave the line; what still waits is dropped, and no close waits for it any more."""
        self._line.carried.discard(self)
        self._drop()
        if self._closing:
            self.below.close()

    def waiting(self) -> int:
        """Return how many text frames are held back."""
        return sum(text for _, text, _ in self._queue)

    def _count(self, data: bytes) -> None:
        self.written += len(data)
        if self._limit is not None and not data.startswith(HTTP):
            self._line.text_bytes += text_bytes(data)
        if len(self.head) < KEPT_BYTES:
            self.head += bytes(data[: KEPT_BYTES - len(self.head)])
        if len(data) <= KEPT_BYTES and is_text(data):
            self.last_text = bytes(data)

    def _pieces(self, data: bytes) -> Iterator[tuple[bool, bytes]]:
        """Part what is written to a WebSocket into frames, so that what waits can be counted."""
        if self._limit is None or data.startswith(HTTP):
            yield False, bytes(data)
        else:
            yield from ((is_text(frame), frame) for frame in frames(bytes(data)))

    def _wait(self, due: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_at(self._line.leaves_at(due), self._pump)

    def _pump(self) -> None:
        self._timer = None
        if self.below.is_closing():
            self._drop()
            return
        now = asyncio.get_running_loop().time()
        while self._queue:
            due, _, data = self._queue[0]
            if self._line.leaves_at(due) > now:
                self._wait(due)
                return
            if self._line.bytes_per_s:
                self._trickle(now)
                return
            self._queue.popleft()
            self._owed -= len(data)
            self.below.write(data)
        self._sent.set()
        if self._closing:
            self.below.close()

    def _trickle(self, now: float) -> None:
        due, text, data = self._queue.popleft()
        speed = self._line.bytes_per_s
        size = min(len(data), max(1, round(speed * SLICE_S)))
        if data[size:]:
            self._queue.appendleft((due, text, data[size:]))
        self._owed -= size
        self.below.write(data[:size])
        self._wait(now + size / speed)

    def _drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._queue.clear()
        self._owed = 0
        self._sent.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.below, name)


def lay(
    metered: MeteredTransport, line: Line, tally: Tally, *, owes: int | None = None
) -> DelayedTransport:
    """Lead a connection's writes over `line`, counted before they wait."""
    delayed = DelayedTransport(metered.below, line, tally, owes=owes)
    metered.lead(cast(asyncio.Transport, delayed))
    return delayed


def lift(metered: MeteredTransport, delayed: DelayedTransport) -> None:
    """Lead a connection's writes straight to TCP again."""
    delayed.release()
    metered.lead(delayed.below)
