"""When to publish: a pure function of the settings and a seed. No clock, no network.

The publisher is an open loop: it keeps these times and never waits for an answer first, or a slow
server would be asked less often just when it is slow (Gil Tene's coordinated omission).
"""

import random
from collections.abc import Callable
from itertools import accumulate

import msgspec

from clients.log import Settings

PROBE_SPACING_S = 0.05
PROBE_SPACING_PER_CLIENT_S = 0.0005
FAREWELL_S = 0.05


class Schedule(msgspec.Struct, frozen=True):
    """Times to publish, in seconds from the start, in order.

    probes: the warm-up, evenly spaced, so that each meets an idle server
    window: the messages that are measured
    farewell: one more after the window, which tells every client that it is over
    """

    probes: tuple[float, ...]
    window: tuple[float, ...]
    farewell: float

    @property
    def times_s(self) -> tuple[float, ...]:
        """All of them."""
        return (*self.probes, *self.window, self.farewell)


def make_schedule(settings: Settings, seed: str) -> Schedule:
    """Plan the publishes of a run; the same settings and seed give the same plan."""
    start, end = settings.warmup_s, settings.warmup_s + settings.duration_s
    spacing = PROBE_SPACING_S + settings.clients * PROBE_SPACING_PER_CLIENT_S
    probes = int(settings.warmup_s / spacing)
    times = SCHEDULES[settings.schedule](settings, random.Random(seed))
    return Schedule(
        probes=tuple(spacing * number for number in range(probes)),
        window=tuple(start + time for time in times),
        farewell=end + FAREWELL_S,
    )


def poisson(settings: Settings, chance: random.Random) -> list[float]:
    """Draw a Poisson process given its count, with gaps as often long or short as they should be.

    The count n is rate times duration D, not drawn itself. The n messages then part the window
    into n + 1 gaps, each longer than s with chance (1 - s/D)^n. One is drawn from each of n + 1
    equally likely ranges of length (a stratified sample), and they follow in random order. What a
    mode does depends on the gaps, so this takes out the error that no number of clients averages
    away: that one run was shown more messages, or more of them close together, than another.
    """
    count = _count(settings)
    ranks = [(number + chance.random()) / (count + 1) for number in range(count + 1)]
    gaps = [1 - (1 - rank) ** (1 / count) for rank in ranks]
    chance.shuffle(gaps)
    stretch = settings.duration_s / sum(gaps)
    return [stretch * time for time in accumulate(gaps[:-1])]


def periodic(settings: Settings, chance: random.Random) -> list[float]:
    """Space the messages evenly, from a random phase on."""
    period = 1 / settings.rate_per_s
    phase = chance.uniform(0, period)
    return [phase + period * number for number in range(_count(settings))]


def _count(settings: Settings) -> int:
    return max(1, round(settings.rate_per_s * settings.duration_s))


SCHEDULES: dict[str, Callable[[Settings, random.Random], list[float]]] = {
    "poisson": poisson,
    "periodic": periodic,
}
