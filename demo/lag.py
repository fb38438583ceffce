"""How late the server's event loop has been: what a handler that does not yield does to others."""

import asyncio
from collections import deque

TICK_S = 0.25  # seldom: the watch must not show in the CPU time of a quiet server
TICKS = 40


class Lag:
    """Set a timer over and over, and keep by how much the last ones were late (10 s of them)."""

    def __init__(self) -> None:
        self._late_s: deque[float] = deque(maxlen=TICKS)
        self._timer: asyncio.TimerHandle

    @property
    def max_ms(self) -> float:
        """The largest lateness of the last 10 seconds."""
        return max(self._late_s, default=0.0) * 1e3

    def start(self) -> None:
        """Watch the running loop."""
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(TICK_S, self._tick, loop, loop.time() + TICK_S)

    def stop(self) -> None:
        """Watch no more."""
        self._timer.cancel()

    def _tick(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        self._late_s.append(max(0.0, loop.time() - due))
        self.start()
