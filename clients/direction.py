"""One direction of an emulated line: what is on its way, and when it arrives. No sockets here.

What leaves at t arrives at t + R/2, plus jitter, in order. A connection opens at once on loopback;
on a line it would take a round trip before the first byte could leave, so the first byte leaves
that much later. A line of limited bandwidth sends one byte after another.
"""

import asyncio
import random
from collections import deque

import msgspec

LIMIT_BYTES = 1 << 20  # on the way in one direction, or not taken, before the sender is held back


class Line(msgspec.Struct, frozen=True):
    """What the line is like: its round trip, its jitter each way, its bandwidth (0: no limit)."""

    rtt_s: float
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0


class Direction:
    """One direction of one connection: a queue of what is on its way, and when it arrives."""

    def __init__(self, line: Line, chance: random.Random) -> None:
        self.to: asyncio.Transport | None = None
        self.source: asyncio.Transport | None = None
        self._line = line
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self._on_its_way: deque[tuple[float, bytes | None]] = deque()
        self._bytes = 0
        self._full = False
        self._free_at = 0.0  # when the line has sent what it was given
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def open_after(self, delay_s: float) -> None:
        """Let nothing leave before so much time has passed."""
        self._free_at = max(self._free_at, self._loop.time() + delay_s)

    def send(self, data: bytes | None) -> None:
        """Put bytes on the line, or with None its end."""
        self._on_its_way.append((self._arrival(len(data or b"")), data))
        self._bytes += len(data or b"")
        if self._bytes > LIMIT_BYTES and self.source is not None:
            self.source.pause_reading()
        self._set_timer()

    def deliver(self) -> None:
        """Hand over what has arrived; the rest waits for its time."""
        self._timer = None
        while self.to is not None and self._on_its_way:
            due, data = self._on_its_way[0]
            if due > self._loop.time():
                break
            self._on_its_way.popleft()
            self._hand_over(data)
        self._set_timer()

    def fill(self, full: bool) -> None:
        """Hold the sender back while the far end is `full`, since its reader does not read."""
        self._full = full
        assert self.source is not None  # what fills the far end has come from it
        if full:
            self.source.pause_reading()
        elif self._bytes <= LIMIT_BYTES:
            self.source.resume_reading()

    def _arrival(self, size: int) -> float:
        line = self._line
        sent = max(self._loop.time(), self._free_at)
        if line.bytes_per_s:
            sent += size / line.bytes_per_s
            self._free_at = sent
        # First in, first out: jitter may delay what follows, never let it overtake.
        self._due = max(self._due, sent + line.rtt_s / 2 + self._chance.uniform(0, line.jitter_s))
        return self._due

    def _hand_over(self, data: bytes | None) -> None:
        assert self.to is not None
        if data is None:
            self.to.close()
            return
        self.to.write(data)
        self._bytes -= len(data)
        if self._bytes <= LIMIT_BYTES and not self._full and self.source is not None:
            self.source.resume_reading()

    def _set_timer(self) -> None:
        if self._timer is None and self._on_its_way and self.to is not None:
            self._timer = self._loop.call_at(self._on_its_way[0][0], self.deliver)
