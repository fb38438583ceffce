"""Carry out a measurement for a terminal: signals stop it cleanly, an error is one line."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from clients.log import LogError
from clients.server import ServerError

DONE, FAILED, STOPPED = 0, 2, 130


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


async def _until_signals(work: Coroutine[Any, Any, None]) -> None:
    """Run `work`; each signal cancels it, and after the second no process is waited for."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # the last: a closed terminal
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await work
    except asyncio.CancelledError:
        if task.cancelling() > 1:
            raise _AtOnce from None
        raise
