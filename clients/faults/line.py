"""A line that can be cut, stalled and lost: the emulated one, and what it is told to do to itself.

Runs as a process of its own, `python -m clients.faults.line TARGET`. Standard input has an order a
line, such as `drop 2`; when it is carried out, standard output says so.
"""

import asyncio
import contextlib
import os
import socket
import struct
import sys
import threading
from collections.abc import Callable
from typing import Any, cast
from weakref import WeakSet

from clients.files import allow_all_files
from clients.link import End, Relay, parse, relay
from clients.timing import new_event_loop
from clients.worker import say

DONE = b"done"
# Linger for no time: what is closed then is reset, as RFC 9293, section 3.10.4, has an abort.
NO_TIME = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class Breakable(Relay):
    """Lead connections on, until told otherwise."""

    def __init__(self, *about: Any) -> None:
        super().__init__(*about)
        self._ends: WeakSet[End] = WeakSet()
        self._loop = asyncio.get_running_loop()
        self._stalled_until = self._down_until = 0.0

    def accept(self) -> asyncio.Protocol:
        """Make the near end of a new connection; of one that is reset at once while it is down."""
        if self._loop.time() < self._down_until:
            return Refused()
        end = self.join()
        hold(end, self._stalled_until - self._loop.time())
        self._ends.add(end)
        return end

    def cut(self) -> None:
        """Reset every connection."""
        for end in self._ends:
            for transport in (end.out.source, end.out.to):
                reset(transport)

    def stall(self, seconds: float) -> None:
        """Hold every byte back that comes from now on, for so long."""
        self._stalled_until = self._loop.time() + seconds
        for end in self._ends:
            hold(end, seconds)

    def drop(self, seconds: float) -> None:
        """Reset every connection, and each new one for so long."""
        self._down_until = self._loop.time() + seconds
        self.cut()

    def obey(self, order: str) -> None:
        """Carry out an order, and say so."""
        word, *seconds = order.split()
        orders: dict[str, Callable[..., None]]
        orders = {"cut": self.cut, "stall": self.stall, "drop": self.drop}
        orders[word](*map(float, seconds))
        say(DONE)


class Refused(asyncio.Protocol):
    """A connection that is reset as soon as it is there."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Reset it."""
        reset(cast(asyncio.Transport, transport))


def hold(end: End, seconds: float) -> None:
    """Let nothing leave on a connection, either way, for so long."""
    if seconds > 0:
        end.out.open_after(seconds)
        end.back.open_after(seconds)


def reset(transport: asyncio.Transport | None) -> None:
    """End a connection as a lost one is."""
    if transport is None:
        return
    with contextlib.suppress(OSError):  # it has been closed meanwhile
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_TIME)
    transport.abort()


def heed(line: Breakable, serving: asyncio.Task[None]) -> None:
    """Let standard input say what is to be done, and end with it: who started this has gone."""
    loop = asyncio.get_running_loop()

    def listen() -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: all is done
            for order in sys.stdin:
                loop.call_soon_threadsafe(line.obey, order)
            loop.call_soon_threadsafe(serving.cancel)

    threading.Thread(target=listen, daemon=True).start()


def main() -> None:
    """Read the arguments and relay."""
    options = parse("python -m clients.faults.line", __doc__)
    allow_all_files()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(relay(options, Breakable, heed))


if __name__ == "__main__":
    main()
