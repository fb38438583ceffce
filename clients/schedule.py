"""When to publish: a pure function of the settings and a seed. No clock, no network.

The publisher is an open loop: it keeps these times and never waits for an answer first, or a slow
server would be asked less often just when it is slow (Gil Tene's coordinated omission).

What a mode does depends on the gaps between messages, so a window is a whole number of them: the
warm-up's last message comes as it starts, and its own last as it ends. Each message then has its
gap in the window, as in a stream without ends, and a short window shows what the formulas of
one say.
"""

import math
import random
from collections.abc import Callable
from itertools import accumulate

import msgspec

from clients.records import Settings

PROBE_SPACING_S = 0.05  # beyond two round trips: a long poll that missed a probe is armed again
PROBE_SPACING_PER_CLIENT_S = 0.0005
FAREWELL_S = 0.05
OFF_RATE = 0.1  # of it: beyond that, what a window of whole messages says is of another rate


class Schedule(msgspec.Struct, frozen=True):
    """Times to publish, in seconds from the start, in order.

    probes: the warm-up, evenly spaced, so that each meets an idle server and armed polls; the last
        one as the window starts
    window: the messages that are measured; the last one as the window ends
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
    start = settings.warmup_s
    gaps = SCHEDULES[settings.schedule](settings, random.Random(seed))
    return Schedule(
        probes=_probes(settings, start),
        window=tuple(start + time for time in accumulate(gaps)),
        farewell=start + settings.duration_s + FAREWELL_S,
    )


def _probes(settings: Settings, last: float) -> tuple[float, ...]:
    on_the_line_s = 2 * settings.longest_round_trip_s
    spacing = PROBE_SPACING_S + on_the_line_s + settings.clients * PROBE_SPACING_PER_CLIENT_S
    before = range(math.floor(last / spacing), -1, -1)
    return tuple(last - spacing * number for number in before)


def poisson(settings: Settings, chance: random.Random) -> list[float]:
    """Return the gaps of a Poisson process, as often long or short as they should be.

    Their count n is rate times duration D, not drawn itself. Each of n equally likely ranges of
    length gives one gap (a stratified sample), and they follow in random order. The longest takes
    what the others leave of the window; on average that is its range's mean. So no run is shown
    more messages, or more of them close together, than another by luck.
    """
    count = _count(settings)
    mean_s = settings.duration_s / count
    ranks = [(number + chance.random()) / count for number in range(count - 1)]
    gaps = [-mean_s * math.log1p(-rank) for rank in ranks]
    gaps.append(settings.duration_s - sum(gaps))
    chance.shuffle(gaps)
    return gaps


def periodic(settings: Settings, _: random.Random) -> list[float]:
    """Return gaps that are all alike."""
    count = _count(settings)
    return [settings.duration_s / count] * count


def check_rate(settings: Settings) -> None:
    """Raise ValueError when the window is so short that whole messages in it are another rate."""
    wanted = settings.rate_per_s * settings.duration_s
    if abs(_count(settings) - wanted) > OFF_RATE * wanted:
        fits_s = math.ceil(wanted) / settings.rate_per_s
        raise ValueError(
            f"{settings.rate_per_s:g} messages/s in a window of {settings.duration_s:g} s would be"
            f" {wanted:.2g}, and only whole ones can be published: choose --duration-s {fits_s:.4g}"
        )


def _count(settings: Settings) -> int:
    return max(1, round(settings.rate_per_s * settings.duration_s))


SCHEDULES: dict[str, Callable[[Settings, random.Random], list[float]]] = {
    "poisson": poisson,
    "periodic": periodic,
}
