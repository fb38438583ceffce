"""How a client of any mode paces itself. No network here."""

import itertools
import math
import random
import time
from collections.abc import Callable, Iterator

import msgspec

from clients.records import Settings

GOLDEN = (math.sqrt(5) - 1) / 2  # its multiples fall into the largest gap that is left


class Pace(msgspec.Struct, frozen=True):
    """The times that a mode may need; each takes what concerns it.

    interval_s: short polling's pause between a response and the next request
    phase_s: its first pause, so that clients do not ask together
    hold_s: the longest that the server may keep a long poll
    timer: what the interval is counted from, one of TIMERS
    cycle_s: from one poll to the next; the phase is then counted from where the clock's own cycle
        begins, so that clients keep their distances however long they take to join
    """

    interval_s: float
    phase_s: float
    hold_s: float
    timer: str = "after"
    cycle_s: float = 0.0

    def pauses(self, now: Callable[[], float] = time.perf_counter) -> Iterator[float]:
        """Yield short polling's pauses in seconds: the phase first, then one after each answer."""
        begun = now()
        first_s = (self.phase_s - begun) % self.cycle_s if self.cycle_s else self.phase_s
        yield first_s
        yield from TIMERS[self.timer].pauses(self.interval_s, begun + first_s, now)


def make_pace(settings: Settings, seed: str, client: int) -> Pace:
    """Pace one client of a run: its phase is random, and the same for the same seed.

    The phases of a run are spread over a cycle by the golden ratio from a random start, so that
    any number of clients covers it evenly, and each message meets polls that are near and far.
    """
    share = (random.Random(seed).random() + client * GOLDEN) % 1
    cycle_s = TIMERS[settings.timer].cycle_s(settings.interval_s, _round_trip_s(settings))
    return Pace(settings.interval_s, share * cycle_s, settings.hold_s, settings.timer, cycle_s)


def _round_trip_s(settings: Settings) -> float:
    """Return how long a poll is under way: twice as long when it opens its own connection."""
    round_trip_ms = settings.rtt_ms + settings.jitter_ms  # half of the jitter each way
    return round_trip_ms / 1e3 * (1 if settings.keepalive else 2)


def after(interval_s: float, begun: float, now: Callable[[], float]) -> Iterator[float]:
    """Wait the interval after each response, as `setTimeout` does: a cycle of I + R."""
    return itertools.repeat(interval_s)


def grid(interval_s: float, begun: float, now: Callable[[], float]) -> Iterator[float]:
    """Ask at fixed times, as `setInterval` does; a slow response lets some pass: I⌈R/I⌉."""
    while True:
        yield interval_s - (now() - begun) % interval_s if interval_s else 0.0


class Timer(msgspec.Struct, frozen=True):
    """What an interval is counted from: the pauses that it makes, and how long a cycle takes."""

    pauses: Callable[[float, float, Callable[[], float]], Iterator[float]]
    cycle_s: Callable[[float, float], float]


TIMERS = {
    "after": Timer(after, lambda interval_s, round_trip_s: interval_s + round_trip_s),
    "grid": Timer(
        grid,
        lambda interval_s, round_trip_s: (
            interval_s * max(1, math.ceil(round_trip_s / interval_s))
            if interval_s
            else round_trip_s
        ),
    ),
}
