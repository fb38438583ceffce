"""What the instrument itself does to a measurement: how late its loop is, how busy its process."""

import asyncio
import math
import time
from typing import Self

TICK_S = 0.01


class Instrument:
    """Watch this process and its event loop for as long as the block lasts.

    lags_ms: by how much each tick was late; cpu_share: CPU time / elapsed time
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
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            self.lags_ms.append((time.perf_counter() - before - TICK_S) * 1e3)


def quantile(values: list[float], share: float) -> float | None:
    """Return the smallest value that at least `share` of `values` do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
