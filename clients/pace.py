"""How a client of any mode paces itself. No network here."""

import itertools
import math
import random
import time
from collections.abc import Callable, Iterator

import msgspec

from clients.log import Settings

GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples fall into the largest gap that is left


class Pace(msgspec.Struct, frozen=True):
    """The times that a mode may need; each takes what concerns it.

    interval_s: short polling's pause between a response and the next request
    phase_s: its first pause, so that clients do not ask together
    hold_s: the longest that the server may keep a long poll
    timer: what the interval is counted from, one of TIMERS
    """

    interval_s: float
    phase_s: float
    hold_s: float
    timer: str = "after"

    def pauses(self, now: Callable[[], float] = time.perf_counter) -> Iterator[float]:
        """Yield short polling's pauses in seconds: the phase first, then one after each answer."""
        begun = now() + self.phase_s
        yield self.phase_s
        yield from TIMERS[self.timer](self.interval_s, begun, now)


def make_pace(settings: Settings, seed: str, client: int) -> Pace:
    """Pace one client of a run: its phase is random, and the same for the same seed.

    The phases of a run are spread over a cycle by the golden ratio from a random start, so that
    any number of clients covers it evenly, and each message meets polls that are near and far.
    """
    share = (random.Random(seed).random() + client * GOLDEN) % 1
    phase_s = share * (settings.interval_s + settings.rtt_ms / 1e3)
    return Pace(settings.interval_s, phase_s, settings.hold_s, settings.timer)


def after(interval_s: float, begun: float, now: Callable[[], float]) -> Iterator[float]:
    """Wait the interval after each response, as `setTimeout` does: a cycle of I + R."""
    return itertools.repeat(interval_s)


def grid(interval_s: float, begun: float, now: Callable[[], float]) -> Iterator[float]:
    """Ask at fixed times, as `setInterval` does; a slow response lets some pass: I⌈R/I⌉."""
    while True:
        yield interval_s - (now() - begun) % interval_s if interval_s else 0.0


TIMERS: dict[str, Callable[[float, float, Callable[[], float]], Iterator[float]]] = {
    "after": after,
    "grid": grid,
}
