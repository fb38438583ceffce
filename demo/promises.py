"""Promises that many wait for, or nobody any more. No network here."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")

AGAIN_S = 0.05  # until a task is cancelled once more


def unheard(promise: asyncio.Future[Any]) -> None:
    """Take note of an error that whoever asked may have given up waiting for."""
    if not promise.cancelled():
        promise.exception()


async def heard(promise: asyncio.Future[T]) -> T:
    """Wait for what others wait for too: who is cancelled ends his own wait alone.

    As asyncio.shield does; but from Python 3.14 on that reports the error of who was given up.
    """
    await asyncio.wait([promise])
    return promise.result()


async def given_up(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it has ended, whatever it has come to."""
    while not task.done():
        # Before Python 3.12 asyncio.wait_for, by which redis sends, can swallow a cancellation.
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)


class Together(Generic[T]):
    """Ask one question for all who ask it at the same time.

    Who asks while one is under way has the answer to the next: this one's may be of before.
    """

    def __init__(self, question: Callable[[], Awaitable[T]]) -> None:
        self._question = question
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[T] | None = None

    async def ask(self) -> T:
        """Return an answer that is of now or later."""
        if self._next is None:
            self._next = asyncio.create_task(self._ask_next())
            self._next.add_done_callback(unheard)
        return await heard(self._next)

    async def _ask_next(self) -> T:
        async with self._turn:
            self._next = None
            return await self._question()
