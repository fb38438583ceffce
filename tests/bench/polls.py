"""Measure polls: empty answers per second, and held polls woken per second.

A closed loop of bare connections. What a held poll costs is one wake with its answer, and the
request that arms it again.
"""

from collections.abc import Awaitable, Callable

from tests.bench.crowd import count_for
from tests.bench.machine import Clock, Shares, without
from tests.bench.pollers import Empties, Held, Polling
from tests.bench.results import Window
from tests.bench.servers import Server, started

SHORT, HELD = "short polls", "held polls"
ASKING, HOLDING = 64, 1000  # connections
WARM_UP_S = 1.5  # or as long as the window, where that is shorter
PAUSE_S = 0.005


async def empties(server: Server, seconds: float, core: int | None) -> Window:
    """Count empty answers to connections that ask again at once."""
    path = server.empty
    assert path is not None
    polling = Empties()
    counted = _count(server, seconds, core, polling, lambda at: polling.start(at, path, ASKING))
    return Window.of(SHORT, f"{ASKING} connections", server.name, *await counted)


async def held(server: Server, seconds: float, core: int | None) -> Window:
    """Count held polls that are woken by one text after another."""
    path, post = server.held, server.post
    assert path is not None
    assert post is not None
    polling = Held(path, PAUSE_S)
    counted = _count(server, seconds, core, polling, lambda at: polling.start(at, HOLDING, post))
    return Window.of(HELD, f"{HOLDING:,} connections", server.name, *await counted)


async def _count(
    server: Server,
    seconds: float,
    core: int | None,
    polling: Polling,
    start: Callable[[int], Awaitable[None]],
) -> tuple[Shares, int]:
    """Start polling a fresh server at its port; return what was taken, and how many answers."""
    async with started(server, core) as (process, port):
        try:
            await start(port)
            await count_for(min(WARM_UP_S, seconds), polling.fault, lambda: polling.answers)
            clock, paused_s = Clock(process), polling.paused_s
            count = await count_for(seconds, polling.fault, lambda: polling.answers)
            return without(clock.since(), polling.paused_s - paused_s), count
        finally:
            polling.leave()
