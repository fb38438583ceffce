"""Measure the instrument by itself: what it costs to read, and how late a reader is at best.

Against the stand-in, which answers at once with a message, or pushes one every few milliseconds.
Each reads as in a run: a measured client on the timers of the measuring process, the bare readers
of a crowd in a worker. What the generator of this benchmark costs stands in the other tables.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

import psutil

from clients.crowd import Joined, Order, Said
from clients.driving import Driven, drive
from clients.follower import Census
from clients.log import Settings
from clients.modes import MODES
from clients.place import Place
from clients.processes import address_of, child
from clients.self_check import STAND_IN, many
from clients.stand_in import EPOCH
from clients.timing import new_event_loop
from clients.worker import dismiss, give, hear, ready
from demo.message import MAX_CURSOR
from tests.bench.crowd import count_for
from tests.bench.machine import Clock, Shares, cpu_of, pinned
from tests.bench.results import Window

COST, FLOOR = "the instrument", "floor of latency"
TICKS_PER_S = 100  # as finely as Linux tells of another process's CPU
MEASURED, BARE = "measured client", "bare reader"


async def measure(
    seconds: float, core: int | None, modes: Iterable[str] = tuple(MODES)
) -> list[Window]:
    """Measure one client and many, and as many bare readers, of each mode."""
    windows: list[Window] = []
    for key in modes:
        mode = MODES[key]
        async with _stand_in(core) as (process, url):
            one, shares = await _driven(key, url, 1, process, seconds)
            for share, late_ms in (("p50", one.latency_p50_ms), ("p99", one.latency_p99_ms)):
                setting = f"{mode.name}, {share}"
                windows.append(_window(FLOOR, setting, MEASURED, one, shares, late_ms))
            crowded, shares = await _driven(key, url, many(key), process, seconds)
            windows.append(_window(COST, mode.name, MEASURED, crowded, shares, crowded.cpu_us))
            windows.append(await _bare(key, url, process, seconds))
    return windows


@asynccontextmanager
async def _stand_in(core: int | None) -> AsyncIterator[tuple[psutil.Process, str]]:
    async with AsyncExitStack() as stack:
        with pinned(core):
            process = await stack.enter_async_context(child(STAND_IN))
        yield psutil.Process(process.pid), await address_of(process, STAND_IN)


async def _driven(
    mode: str, url: str, clients: int, process: psutil.Process, seconds: float
) -> tuple[Driven, Shares]:
    def drive_alone() -> Driven:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            return runner.run(drive(mode, url, clients, seconds))

    clock = Clock(process)
    driven = await asyncio.to_thread(drive_alone)
    return driven, clock.since()


def _window(
    part: str, setting: str, reader: str, driven: Driven, shares: Shares, figure: float
) -> Window:
    count = round(driven.messages_per_s * shares.elapsed_s)
    return Window.of(part, setting, reader, shares, count, figure=figure)


async def _bare(mode: str, url: str, process: psutil.Process, seconds: float) -> Window:
    """Let bare readers read flat out in a worker, and take its CPU from when all have joined."""
    settings = Settings(
        clients=many(mode), rate_per_s=1, interval_s=0, hold_s=25, duration_s=1, warmup_s=0
    )
    numbers, place = (1, settings.clients), Place(EPOCH, 0)
    order = Order(url, mode, numbers, settings, place, last=MAX_CURSOR, seed="bench")
    async with child("clients.crowd") as worker:
        await ready(worker)
        give(worker, order)
        said = hear(worker, Said)
        while await anext(said) != Joined(settings.clients):
            pass
        itself = psutil.Process(worker.pid)
        clock, begun_s = Clock(process), cpu_of(itself)
        faultless: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        await count_for(seconds, faultless, lambda: round(cpu_of(itself) * TICKS_PER_S))
        took_s, shares = cpu_of(itself) - begun_s, clock.since()
        dismiss(worker)
        census = await anext(said)
    assert isinstance(census, Census)
    share = took_s / shares.elapsed_s  # the worker is the generator here
    shares = replace(shares, generator=share, others=max(0.0, shares.others - share))
    figure = took_s / census.deliveries * 1e6
    return Window.of(COST, MODES[mode].name, BARE, shares, census.deliveries, figure=figure)
