"""One reader's line to the server: how long it is, and what the teacher does to it.

It decides and keeps no bytes; `delayed.py` holds them back as this says.
"""

import asyncio
from collections.abc import Callable
from typing import Annotated, Protocol

import msgspec

Seconds = Annotated[float, msgspec.Meta(ge=0, le=120)]


class Carried(Protocol):
    """A connection that a line carries."""

    def abort(self) -> None:
        """Drop the connection."""

    def poke(self) -> None:
        """Look again at what may leave."""


class LineChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to happen to a line, one thing at a time."""

    cut_s: Seconds | None = None
    stall_s: Seconds | None = None
    slow_bytes_per_s: Annotated[int, msgspec.Meta(ge=0, le=10_000_000)] | None = None


class Line:
    """The state of one reader's line; `rtt_s` is the class's round trip."""

    def __init__(self, rtt_s: Callable[[], float]) -> None:
        self.bytes_per_s = 0  # 0: as fast as it goes
        self.text_bytes = 0  # that frames have brought to the reader
        self.carried: set[Carried] = set()
        self._rtt_s = rtt_s
        self._cut_until = self._stalled_until = 0.0

    @property
    def one_way_s(self) -> float:
        """How long a byte takes from one end to the other."""
        return self._rtt_s() / 2

    @property
    def is_cut(self) -> bool:
        """Whether no connection can be had now."""
        return asyncio.get_running_loop().time() < self._cut_until

    def leaves_at(self, due: float) -> float:
        """Return when the server lets go what would be `due`: later, while it stalls."""
        return max(due, self._stalled_until)

    async def travel(self, *, opening: bool) -> None:
        """Let a request come to the server; where a connection opens, its round trip goes first."""
        delay_s = self.one_way_s * (3 if opening else 1)
        if delay_s:
            await asyncio.sleep(delay_s)

    def change(self, change: LineChange) -> None:
        """Do what the teacher asks."""
        now = asyncio.get_running_loop().time()
        if change.cut_s is not None:
            self._cut_until = now + change.cut_s
            for connection in tuple(self.carried):
                connection.abort()
        if change.stall_s is not None:
            self._stalled_until = now + change.stall_s
        if change.slow_bytes_per_s is not None:
            self.bytes_per_s = change.slow_bytes_per_s
        for connection in tuple(self.carried):
            connection.poke()
