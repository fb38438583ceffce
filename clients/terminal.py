"""Carry out a measurement for a terminal: signals stop it cleanly, an error is one line."""

import asyncio
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from clients.errors import LogError, ServerError

DONE, FAILED, STOPPED = 0, 2, 130
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")  # the last when a terminal is closed; not on Windows
SIGNALS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))


class _AtOnce(Exception):
    """A second signal has come: nothing more is to be done."""


def carry_out(program: str, work: Coroutine[Any, Any, None]) -> int:
    """Run `work`; return DONE, FAILED (it was said why) or STOPPED (by a signal).

    Raises KeyboardInterrupt when a second signal has come; `work` has been cleaned up by then.
    """
    try:
        asyncio.run(_until_signals(work))
    except (LogError, ServerError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return FAILED
    except _AtOnce:
        raise KeyboardInterrupt from None
    except (KeyboardInterrupt, asyncio.CancelledError):
        return STOPPED
    return DONE


def at_once(program: str, folder: Path) -> int:
    """Say that all was stopped where it was; return STOPPED."""
    print(f"{program}: stopped at once: what was measured is in {folder}", file=sys.stderr)
    return STOPPED


@contextmanager
def stoppable() -> Iterator[None]:
    """Take a SIGTERM for a Ctrl-C, a KeyboardInterrupt, wherever it comes."""
    with _hearing(signal.default_int_handler, signal.SIGTERM):
        yield


async def _until_signals(work: Coroutine[Any, Any, None]) -> None:
    """Run `work`; each signal cancels it, and after the second no process is waited for."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def cancel(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(task.cancel)

    with _hearing(cancel, *SIGNALS):
        try:
            await work
        except asyncio.CancelledError:
            if task.cancelling() > 1:
                raise _AtOnce from None
            raise


@contextmanager
def _hearing(
    hear: Callable[[int, FrameType | None], object], *numbers: signal.Signals
) -> Iterator[None]:
    before = {number: signal.signal(number, hear) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
