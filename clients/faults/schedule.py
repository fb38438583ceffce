"""When which fault is to come: a pure function of the settings and a seed. No clock, no network.

Faults follow one another and never overlap, so that what a reader loses can be laid to one of them.
Each kind comes as often as every other, in random order.
"""

import random

import msgspec

from clients.records import Settings

# Each kind, and how long it lasts in seconds; a server that was killed is back when it is back.
KINDS: dict[str, float] = {
    "cut": 0.0,  # every connection on the line is reset
    "stall": 0.4,  # the line holds every byte back
    "pause": 0.4,  # the server's process is stopped (SIGSTOP), and goes on
    "kill": 1.2,  # the server is killed (SIGKILL), and started again on its port and its file
    "drop": 2.0,  # the line is down: connections are reset, and none can be opened
    "sleep": 0.6,  # every reader takes nothing
}
OF_THE_SERVER = ("pause", "kill")
LEAST_QUIET_S = 0.3  # from one fault to the next
CALM_S = 1.5  # at the end of the window, for those who still come back


class Planned(msgspec.Struct, frozen=True):
    """A fault to come: its kind, when from the window's start, and for how long."""

    kind: str
    at_s: float
    lasts_s: float


def kinds_of(settings: Settings) -> tuple[str, ...]:
    """Return the kinds that the settings name, or all; named twice, one comes twice as often.

    Raise ValueError for one that there is not.
    """
    kinds = tuple(kind.strip() for kind in settings.fault_kinds.split(",") if kind.strip())
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no kind of fault: choose of {', '.join(KINDS)}")
    return kinds or tuple(KINDS)


def make_faults(settings: Settings, seed: str) -> tuple[Planned, ...]:
    """Plan the faults of a window; the same settings and seed give the same plan.

    Raise ValueError when there is no room for as many.
    """
    chance = random.Random(f"{seed}/faults")
    count = max(1, round(settings.faults_per_s * settings.duration_s))
    kinds = _in_turns(kinds_of(settings), count, chance)
    least_s = sum(KINDS[kind] + LEAST_QUIET_S for kind in kinds) + CALM_S
    spare_s = settings.duration_s - least_s
    if spare_s < 0:
        raise ValueError(
            f"{count} faults take {least_s:.0f} s: choose a longer --duration-s or a lower"
            " --faults-per-s"
        )
    shares = [chance.uniform(0.5, 1.5) for _ in kinds]
    planned, at_s = [], 0.0
    for kind, share in zip(kinds, shares, strict=True):
        at_s += spare_s * share / sum(shares)
        planned.append(Planned(kind, at_s, KINDS[kind]))
        at_s += KINDS[kind] + LEAST_QUIET_S
    return tuple(planned)


def _in_turns(kinds: tuple[str, ...], count: int, chance: random.Random) -> list[str]:
    """Return so many, every kind once before any comes again."""
    found: list[str] = []
    while len(found) < count:
        found += chance.sample(kinds, len(kinds))
    return found[:count]
