"""One question for all who ask it at the same time, and never an answer of before one asked."""

import asyncio
import gc
from typing import Any

import pytest

from demo.promises import Together


class Question:
    """A question that is answered when it is let, with how often it has been asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.lets = asyncio.Semaphore(0)

    async def __call__(self) -> int:
        self.asked += 1
        number = self.asked
        await self.lets.acquire()
        return number


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_who_asks_while_a_question_is_under_way_shares_the_next() -> None:
    question = Question()
    together = Together(question)
    first = [asyncio.create_task(together.ask()) for _ in range(3)]
    await settle()
    meanwhile = [asyncio.create_task(together.ask()) for _ in range(3)]
    await settle()
    assert question.asked == 1
    question.lets.release()
    assert await asyncio.gather(*first) == [1, 1, 1]
    question.lets.release()
    assert await asyncio.gather(*meanwhile) == [2, 2, 2]


async def test_who_stops_waiting_disturbs_nobody_and_its_error_is_none() -> None:
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ZeroDivisionError

    together = Together(fail)
    waiting = [asyncio.create_task(together.ask()) for _ in range(2)]
    await asyncio.sleep(0)
    waiting[0].cancel()
    with pytest.raises(ZeroDivisionError):
        await waiting[1]
    waiting = [asyncio.create_task(together.ask())]
    await asyncio.sleep(0)
    waiting[0].cancel()
    await settle()
    gc.collect()
    assert unheard == []
