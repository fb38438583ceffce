"""When to publish: a pure function of the settings and a seed. No clock, no network.

The publisher is an open loop: it keeps these times and never waits for an answer first, or a slow
server would be asked less often just when it is slow (Gil Tene's coordinated omission).
"""

import random
from collections.abc import Callable

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
    """Draw a Poisson process given its count: so many uniform times, sorted.

    The count is rate times duration, not drawn itself. That leaves the gaps as random as they
    should be, and takes out the one error that no number of clients averages away: a run that was
    shown more messages than another.
    """
    return sorted(chance.uniform(0, settings.duration_s) for _ in range(_count(settings)))


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
