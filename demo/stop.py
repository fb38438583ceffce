"""When a server is to stop: a signal asks for it, and another one asks to wait for nobody."""

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Coroutine
from types import FrameType
from typing import Any, TypeVar

from demo.promises import given_up

SIGNALS = (signal.SIGINT, signal.SIGTERM)

T = TypeVar("T")


class Stop:
    """What has been asked for: `asked` is set by the first to ask, `again` by the second.

    cut_off: how many connections were not waited for. What has been acknowledged is stored in
        either case
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.again = asyncio.Event()
        self.cut_off = 0

    def ask(self) -> None:
        """Ask to stop; once more, to stop at once."""
        (self.again if self.asked.is_set() else self.asked).set()

    async def unless_asked(self, work: Coroutine[Any, Any, T]) -> T | None:
        """Return what `work` does, or give it up, and return None, if it is asked to stop first."""
        doing, asked = asyncio.create_task(work), asyncio.create_task(self.asked.wait())
        await asyncio.wait([doing, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        await given_up(doing)
        return None if doing.cancelled() else doing.result()


def on_signals(stop: Stop) -> None:
    """Stop on SIGINT and SIGTERM."""
    loop = asyncio.get_running_loop()

    def ask(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has closed: it has stopped already
            loop.call_soon_threadsafe(stop.ask)

    for number in SIGNALS:
        signal.signal(number, ask)


def ignore_signals() -> None:
    """Let no signal spoil the exit code of what has stopped."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def on_stdin_closed(stop: Stop) -> None:
    """Stop when standard input closes."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(stop.ask)

    threading.Thread(target=watch, daemon=True).start()
