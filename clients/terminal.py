"""Carry out a measurement for a terminal: signals stop it cleanly, an error is one line."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Coroutine
from typing import Any

from clients.log import LogError
from clients.server import ServerError

DONE, FAILED, STOPPED = 0, 2, 130


def carry_out(program: str, work: Coroutine[Any, Any, None]) -> int:
    """Run `work`; return DONE, FAILED (it was said why) or STOPPED (by a signal)."""
    try:
        asyncio.run(_until_sigterm(work))
    except (LogError, ServerError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return STOPPED
    return DONE


async def _until_sigterm(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows
        for number in (signal.SIGTERM, signal.SIGHUP):  # the latter when the terminal is closed
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    await work
