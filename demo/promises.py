"""Promises that many wait for, or nobody any more. No network here."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def unheard(promise: asyncio.Future[Any]) -> None:
    """Take note of an error that whoever asked may have given up waiting for."""
    if not promise.cancelled():
        promise.exception()


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
        return await asyncio.shield(self._next)

    async def _ask_next(self) -> T:
        async with self._turn:
            self._next = None
            return await self._question()
