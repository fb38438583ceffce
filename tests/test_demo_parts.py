"""The parts of a server that run by themselves: when one fails, the server is to end."""

import asyncio
from typing import NoReturn

import pytest

from demo.parts import until_one_fails
from demo.websocket import FANOUT
from tests.conftest import Server


async def test_a_fanout_that_fails_ends_the_server(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail() -> NoReturn:
        raise ZeroDivisionError

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    monkeypatch.setattr(server.app[FANOUT], "_round", fail)
    ending = asyncio.create_task(until_one_fails(server.app, asyncio.Event()))
    server.publish("hi")
    await ending
    with pytest.raises(ZeroDivisionError):
        await server.stop()


async def test_a_server_whose_parts_run_goes_on_until_it_is_to_stop(server: Server) -> None:
    stop = asyncio.Event()
    ending = asyncio.create_task(until_one_fails(server.app, stop))
    server.publish("hi")
    for _ in range(10):  # more turns of the loop than an end would take to be seen
        await asyncio.sleep(0)
    assert not ending.done()
    stop.set()
    await ending
