"""Measure memory: what a server's process grows by for each WebSocket and held poll that waits."""

import asyncio
from collections.abc import Awaitable, Callable

import psutil

from tests.bench.crowd import Crowd
from tests.bench.machine import Clock, alone
from tests.bench.pollers import Held
from tests.bench.results import Window
from tests.bench.servers import TEXT_BYTES, Server, started

SOCKETS, POLLS = "memory of a WebSocket", "memory of a held poll"
FIRST, MORE = 100, 2000  # connections before the first look, and until the second
LOOK_S = 0.5
REST = 0.03  # share of a core
PATIENCE_S = 20.0

Open = Callable[[int, int], Awaitable[Callable[[], None]]]  # port and how many -> how they leave


async def sockets(server: Server, core: int | None) -> Window:
    """Open WebSockets that say nothing."""

    async def opened(port: int, count: int) -> Callable[[], None]:
        crowd = Crowd(server.say, TEXT_BYTES)
        await crowd.join(port, server.path, count)
        return crowd.leave

    return await _grown(SOCKETS, server, core, opened)


async def polls(server: Server, core: int | None) -> Window:
    """Hold polls that nothing comes for."""
    path = server.held
    assert path is not None

    async def opened(port: int, count: int) -> Callable[[], None]:
        polling = Held(path, 3600)
        await polling.start(port, count, b"")
        return polling.leave

    return await _grown(POLLS, server, core, opened)


async def _grown(part: str, server: Server, core: int | None, opened: Open) -> Window:
    """Open some connections to a fresh server, and then many; return what the many add to it."""
    async with started(server, core) as (process, port):
        leave_first = await opened(port, FIRST)
        await _at_rest(process)
        clock, before = Clock(process), process.memory_info().rss
        leave_more = await opened(port, MORE)
        await _at_rest(process)
        kib = (process.memory_info().rss - before) / MORE / 1024
        shares = alone(clock.since())
        leave_first()
        leave_more()
    return Window.of(part, f"{MORE:,} more", server.name, shares, MORE, figure=kib)


async def _at_rest(process: psutil.Process) -> None:
    """Wait until a server has taken all in: its process then asks for next to no CPU."""
    async with asyncio.timeout(PATIENCE_S):
        taken_s = None
        while taken_s is None or taken_s > REST * LOOK_S:
            before = process.cpu_times()
            await asyncio.sleep(LOOK_S)
            after = process.cpu_times()
            taken_s = after.user + after.system - before.user - before.system
