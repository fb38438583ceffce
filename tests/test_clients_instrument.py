"""The instrument's own lateness is told for every moment, and not once for each standstill."""

import asyncio
import time

from clients.instrument import TICK_S, Instrument, quantile


async def test_a_standstill_is_as_many_late_ticks_as_it_was_long() -> None:
    async with Instrument() as instrument:
        await asyncio.sleep(0)  # the first tick is due now
        time.sleep(20 * TICK_S)  # noqa: ASYNC251  the loop stands still
        await asyncio.sleep(2 * TICK_S)
    late = [lag for lag in instrument.lags_ms if lag >= 1e3 * TICK_S]
    assert len(late) >= 18
    assert max(late) >= 18e3 * TICK_S


async def test_ticks_go_on_while_the_block_lasts_and_end_with_it() -> None:
    async with Instrument() as instrument:
        await asyncio.sleep(3 * TICK_S)
    count = len(instrument.lags_ms)
    await asyncio.sleep(3 * TICK_S)
    assert len(instrument.lags_ms) == count > 0


def test_quantile_is_the_smallest_value_that_so_many_do_not_exceed() -> None:
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2
    assert quantile([float(value) for value in range(1, 101)], 0.99) == 99
    assert quantile([], 0.5) is None
