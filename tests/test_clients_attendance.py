"""A run begins when every client is there; a client counts once, however often it asks."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import msgspec
import pytest

from clients.attendance import Attendance, held, wait_for_all
from clients.client import Client
from clients.errors import ServerError
from clients.modes import MODES
from clients.pace import Pace
from clients.place import Place
from clients.recorder import Recorder
from clients.server import ModeStats, Stats, server_at
from demo.stats import STATS
from tests.conftest import Server, until

NOTHING = ModeStats(0, 0, 0, 0, 0, 0, 0)
BEFORE = Stats(0.0, "epoch", 0, 0.0, 0, 0.0, dict.fromkeys(MODES, NOTHING))
every_mode = pytest.mark.parametrize("mode", MODES)


@asynccontextmanager
async def reading(server: Server, mode: str, *, hold_s: float = 25) -> AsyncIterator[Client]:
    """Let a client read, without a pause, as long as the block lasts."""
    client = Client(1, server.url, Recorder(1), Place(server.feed.epoch, 0), random.Random(1))

    async def read() -> None:
        async with client, aclosing(MODES[mode].messages(client, Pace(0, 0, hold_s))) as messages:
            async for _ in messages:
                pass

    task = asyncio.create_task(read())
    yield client
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize(("mode", "hold_s"), [("short", 25), ("long", 0.001)])
async def test_client_that_asks_again_counts_once(server: Server, mode: str, hold_s: float) -> None:
    attendance = Attendance(2)
    async with reading(server, mode, hold_s=hold_s) as client:
        attendance.measured = [client]
        await until(lambda: server.app[STATS].modes[mode].empty >= 5)
        await until(lambda: client.joined)
        assert attendance.present == 1
        async with server_at(server.url) as asked:
            with pytest.raises(ServerError, match="1 of 2 clients could ask, and none more in 0 s"):
                await wait_for_all(attendance, asked, mode, BEFORE, 0.2)


@every_mode
async def test_run_begins_when_the_last_client_is_there(server: Server, mode: str) -> None:
    attendance = Attendance(3)
    async with reading(server, mode) as one, server_at(server.url) as asked:
        attendance.measured = [one]
        waiting = asyncio.create_task(wait_for_all(attendance, asked, mode, BEFORE, 20))
        await until(lambda: attendance.present == 1)
        assert not waiting.done()
        async with reading(server, mode), reading(server, mode):
            attendance.counted = {} if MODES[mode].holds else {0: 1, 1: 1}
            await waiting
    assert attendance.complete


def test_held_is_what_was_begun_and_not_answered() -> None:
    now = ModeStats(requests=110, empty=3, gaps=2, deliveries=1, bytes_in=0, bytes_out=0,
                    connections=106)  # fmt: skip
    assert held(NOTHING, now) == 104
    assert held(msgspec.structs.replace(NOTHING, requests=100), now) == 4


def test_polls_that_were_refused_are_not_held() -> None:
    now = msgspec.structs.replace(NOTHING, requests=2000, connections=1000)
    assert held(NOTHING, now) == 1000
