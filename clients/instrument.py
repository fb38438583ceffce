"""What the instrument itself does to a measurement: how late its loop is, how busy its process."""

import asyncio
import math
import time
from typing import Self

TICK_S = 0.01


class Instrument:
    """Watch this process and its event loop for as long as the block lasts.

    lags_ms: by how much each tick was late, of ticks that are due every 10 ms whatever became of
        the last one: a standstill is as many late ticks as it was long (coordinated omission)
    cpu_share: CPU time / elapsed time
    """

    def __init__(self) -> None:
        self.lags_ms: list[float] = []
        self.cpu_share = 0.0

    async def __aenter__(self) -> Self:
        self._started = time.perf_counter(), time.process_time()
        self._watch = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *_: object) -> None:
        started, cpu = self._started
        self.cpu_share = (time.process_time() - cpu) / (time.perf_counter() - started)
        self._watch.cancel()
        await asyncio.gather(self._watch, return_exceptions=True)

    async def _tick(self) -> None:
        due = time.perf_counter()
        while True:
            due += TICK_S
            await asyncio.sleep(due - time.perf_counter())
            self.lags_ms.append(max(0.0, time.perf_counter() - due) * 1e3)


def quantile(values: list[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of `values` do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
