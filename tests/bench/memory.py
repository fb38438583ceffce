"""Measure memory: what a server's process grows by for each WebSocket and held poll that waits."""

import asyncio

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


async def sockets(server: Server, core: int | None) -> Window:
    """Open WebSockets that say nothing."""
    async with started(server, core) as (process, port):
        first, more = (Crowd(server.say, TEXT_BYTES) for _ in range(2))
        try:
            await first.join(port, server.path, FIRST)
            await _at_rest(process)
            clock, before = Clock(process), process.memory_info().rss
            await more.join(port, server.path, MORE)
            await _at_rest(process)
            grown, shares = process.memory_info().rss - before, clock.since()
        finally:
            first.leave()
            more.leave()
    return Window.of(
        SOCKETS, f"{MORE:,} more", server.name, alone(shares), MORE, figure=_kib(grown)
    )


async def polls(server: Server, core: int | None) -> Window:
    """Hold polls that nothing comes for."""
    assert server.held is not None
    async with started(server, core) as (process, port):
        first, more = (Held(server.held, 3600) for _ in range(2))
        try:
            await first.start(port, FIRST, b"")
            await _at_rest(process)
            clock, before = Clock(process), process.memory_info().rss
            await more.start(port, MORE, b"")
            await _at_rest(process)
            grown, shares = process.memory_info().rss - before, clock.since()
        finally:
            first.leave()
            more.leave()
    what = POLLS, f"{MORE:,} more", server.name
    return Window.of(*what, alone(shares), MORE, figure=_kib(grown))


async def _at_rest(process: psutil.Process) -> None:
    """Wait until a server has taken all in: its process then asks for next to no CPU."""
    async with asyncio.timeout(PATIENCE_S):
        taken_s = None
        while taken_s is None or taken_s > REST * LOOK_S:
            before = process.cpu_times()
            await asyncio.sleep(LOOK_S)
            after = process.cpu_times()
            taken_s = after.user + after.system - before.user - before.system


def _kib(grown: int) -> float:
    return grown / MORE / 1024
