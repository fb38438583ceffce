from demo.lag import TICK_S, TICKS, Lag
from tests.conftest import Clock


async def test_loop_that_keeps_time_has_no_lag(clock: Clock) -> None:
    lag = Lag()
    lag.start()
    await clock.advance(3)
    assert lag.max_ms < 1
    lag.stop()


async def test_callback_that_does_not_yield_shows_as_lag(clock: Clock) -> None:
    lag = Lag()
    lag.start()
    await clock.advance(1)
    clock.now_s += TICK_S + 0.3  # as a handler that computes for so long
    await clock.settle()
    assert round(lag.max_ms) >= 300
    await clock.advance(TICK_S * (TICKS + 1))
    assert lag.max_ms < 1  # it is forgotten after ten seconds
    lag.stop()


async def test_watch_that_was_stopped_sets_no_timer(clock: Clock) -> None:
    lag = Lag()
    lag.start()
    lag.stop()
    clock.now_s += 10
    await clock.settle()
    assert lag.max_ms == 0
