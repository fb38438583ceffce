"""Measure polls: empty answers per second, and held polls woken per second.

A closed loop of bare connections. What a held poll costs is one wake with its answer, and the
request that arms it again.
"""

import asyncio

from tests.bench.crowd import Faulty
from tests.bench.machine import Clock
from tests.bench.pollers import Empties, Held, Polling
from tests.bench.results import Window
from tests.bench.servers import Server, started

SHORT, HELD = "short polls", "held polls"
ASKING, HOLDING = 64, 1000  # connections
WARM_UP_S = 1.5
PAUSE_S = 0.005


async def empties(server: Server, seconds: float, core: int | None) -> Window:
    """Count empty answers to connections that ask again at once."""
    assert server.empty is not None
    async with started(server, core) as (process, port):
        polling = Empties()
        try:
            await polling.start(port, server.empty, ASKING)
            await _pass(WARM_UP_S, polling)
            clock, answers = Clock(process), polling.answers
            await _pass(seconds, polling)
            shares, count = clock.since(), polling.answers - answers
        finally:
            polling.leave()
    return Window.of(SHORT, f"{ASKING} connections", server.name, shares, count)


async def held(server: Server, seconds: float, core: int | None) -> Window:
    """Count held polls that are woken by one text after another."""
    assert server.held is not None
    assert server.post is not None
    async with started(server, core) as (process, port):
        polling = Held(server.held, PAUSE_S)
        try:
            await polling.start(port, HOLDING, server.post)
            await _pass(WARM_UP_S, polling)
            clock, answers = Clock(process), polling.answers
            await _pass(seconds, polling)
            shares, count = clock.since(), polling.answers - answers
        finally:
            polling.leave()
    return Window.of(HELD, f"{HOLDING:,} connections", server.name, shares, count)


async def _pass(seconds: float, polling: Polling) -> None:
    await asyncio.wait([polling.fault], timeout=seconds)
    if polling.fault.done():
        raise Faulty(polling.fault.result())
