"""Measure fan-out: deliveries per second, and how long the last percent of them take.

Closed loop for the rate: a number of texts is in flight, and each that has reached every socket is
followed by the next. Open loop for the latency: ten texts a second, whatever the server does.
"""

import asyncio
import random

import psutil

from tests.bench.crowd import Crowd, Faulty, count_for
from tests.bench.machine import Clock
from tests.bench.results import Window
from tests.bench.servers import TEXT_BYTES, Server, started

FAN_OUT, LATENCY = "fan-out", "latency"
IN_FLIGHT = (1, 4, 16)
WARM_UP_S = 0.5  # or as long as the window, where that is shorter
PACE_S = 0.1


async def measure(
    server: Server, sockets: int, seconds: float, core: int | None, *, latency: bool
) -> list[Window]:
    """Measure a fresh server with each number of texts in flight, in random order."""
    async with started(server, core) as (process, port):
        crowd = Crowd(server.say, TEXT_BYTES)
        try:
            await crowd.join(port, server.path, sockets)
            windows = [
                await _in_flight(server, process, crowd, in_flight, seconds)
                for in_flight in random.sample(IN_FLIGHT, len(IN_FLIGHT))
            ]
            if latency:
                windows.append(await _paced(server, process, crowd, 2 * seconds))
            return windows
        finally:
            crowd.leave()


def setting(sockets: int, in_flight: int) -> str:
    """Name a setting as the tables do."""
    return f"{sockets:,} sockets, {in_flight} in flight"


async def _in_flight(
    server: Server, process: psutil.Process, crowd: Crowd, in_flight: int, seconds: float
) -> Window:
    """Count deliveries and CPU after a warm-up; raise Faulty if one went wrong."""
    crowd.start(in_flight)
    await count_for(min(WARM_UP_S, seconds), crowd.fault, lambda: crowd.deliveries)
    clock, idle_s = Clock(process), crowd.idle_s
    count = await count_for(seconds, crowd.fault, lambda: crowd.deliveries)
    shares = clock.since(crowd.idle_s - idle_s)
    await crowd.stop()
    return Window.of(FAN_OUT, setting(len(crowd.readers), in_flight), server.name, shares, count)


async def _paced(server: Server, process: psutil.Process, crowd: Crowd, seconds: float) -> Window:
    """Return the p99 of latency, from the moment a text is handed to its socket."""
    clock, idle_s = Clock(process), crowd.idle_s
    crowd.latencies_s.clear()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    for number in range(int(seconds / PACE_S)):
        await asyncio.sleep(begun + number * PACE_S - loop.time())
        crowd.say_one()
        if crowd.fault.done():
            raise Faulty(crowd.fault.result())
    await crowd.stop()
    shares = clock.since(crowd.idle_s - idle_s)
    found = sorted(crowd.latencies_s)
    p99_ms = found[int(0.99 * len(found))] * 1e3
    sockets = f"{len(crowd.readers):,} sockets, 10 texts/s"
    return Window.of(LATENCY, sockets, server.name, shares, len(found), figure=p99_ms)
