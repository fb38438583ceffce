"""End a connection that has been silent for too long: its other end may be dead and not say so.

One task for a session, and none for each message: a timeout for each would cost a client half as
much again as the message does.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from clients.meter import Meter


@contextmanager
def no_longer_silent_than(longest_s: float, meter: Meter) -> Iterator[None]:
    """Cut the meter's connection off, for as long as the block lasts, when nothing comes on it."""
    watch = asyncio.create_task(_watch(longest_s, meter))
    try:
        yield
    finally:
        watch.cancel()


async def _watch(longest_s: float, meter: Meter) -> None:
    left_s = longest_s
    while left_s > 0:
        await asyncio.sleep(left_s)
        left_s = longest_s - (time.perf_counter_ns() - meter.arrived_ns) / 1e9
    meter.cut_off()
