"""A thread whose calls may hang: they come one after another, and nobody has to wait for them."""

import asyncio
import threading

import pytest

from demo.thread import Thread


async def test_calls_are_made_one_after_another_elsewhere() -> None:
    thread, made = Thread("test"), []

    def note(number: int) -> threading.Thread:
        made.append(number)
        return threading.current_thread()

    where = await asyncio.gather(*(thread.call(note, number) for number in range(5)))
    thread.end()
    assert made == [0, 1, 2, 3, 4]
    (one,) = set(where)
    assert one is not threading.current_thread()
    assert one.daemon  # or the interpreter would wait for it at its end
    one.join()


async def test_an_error_is_raised_where_the_call_was_asked_for() -> None:
    thread = Thread("test")
    with pytest.raises(ZeroDivisionError):
        await thread.call(divmod, 1, 0)
    assert await thread.call(divmod, 7, 2) == (3, 1)
    thread.end()


async def test_who_stops_waiting_disturbs_no_other_call() -> None:
    thread, lets = Thread("test"), threading.Event()
    waiting = asyncio.create_task(thread.call(lets.wait, 30))
    await asyncio.sleep(0)
    waiting.cancel()
    lets.set()
    assert await thread.call(divmod, 7, 2) == (3, 1)
    thread.end()
