"""A thread for calls that may block for ever: who asked can stop waiting, and the program end."""

import asyncio
import contextlib
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Thread:
    """Make calls one after another, in a thread that no exit waits for.

    An executor's threads are joined when the interpreter ends, and a disk that hangs would hold
    that up.
    """

    def __init__(self, name: str) -> None:
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    async def call(self, call: Callable[..., T], *arguments: object) -> T:
        """Make a call when those before have ended; return its result, or raise its error."""
        if self._thread.ident is None:
            self._thread.start()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[T] = loop.create_future()
        self._calls.put(partial(_call, loop, answer, partial(call, *arguments)))
        return await answer

    def end(self) -> None:
        """Make no more calls than those that wait."""
        self._calls.put(None)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


def _call(
    loop: asyncio.AbstractEventLoop, answer: asyncio.Future[T], call: Callable[[], T]
) -> None:
    tell: Callable[[], None]
    try:
        tell = partial(answer.set_result, call())
    except BaseException as error:  # noqa: BLE001  whatever it is, who asked is told
        tell = partial(answer.set_exception, error)
    with contextlib.suppress(RuntimeError):  # the loop has closed: nobody waits
        loop.call_soon_threadsafe(_tell, answer, tell)


def _tell(answer: asyncio.Future[T], tell: Callable[[], None]) -> None:
    if not answer.done():
        tell()
