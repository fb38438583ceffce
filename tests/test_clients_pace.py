"""Short polling waits a phase, then the interval, counted from the answer or on a grid."""

from collections.abc import Iterator
from itertools import islice, pairwise
from typing import Any

import msgspec
import pytest

from clients.log import Settings
from clients.pace import Pace, make_pace

SETTINGS = Settings(clients=9, rate_per_s=5, interval_s=2, hold_s=25, duration_s=4, warmup_s=1)


class Answers:
    """A clock on which each answer takes so long; `asked` is when each request left."""

    def __init__(self, took_s: float) -> None:
        self.now_s = 100.0
        self.asked: list[float] = []
        self._took_s = took_s

    def ask(self, pauses: Iterator[float], times: int) -> None:
        for pause_s in islice(pauses, times):
            self.now_s += pause_s
            self.asked.append(round(self.now_s, 9))
            self.now_s += self._took_s


def asked(timer: str, took_s: float, interval_s: float = 1.0) -> list[float]:
    answers = Answers(took_s)
    pauses = Pace(interval_s, 0.25, 25, timer).pauses(lambda: answers.now_s)
    answers.ask(pauses, 4)
    return answers.asked


def test_interval_after_the_response_adds_the_response() -> None:
    assert asked("after", 0.1) == [100.25, 101.35, 102.45, 103.55]


def test_interval_on_a_grid_hides_the_response() -> None:
    assert asked("grid", 0.1) == [100.25, 101.25, 102.25, 103.25]


def test_slow_response_lets_moments_of_the_grid_pass() -> None:
    assert asked("grid", 1.5) == [100.25, 102.25, 104.25, 106.25]


@pytest.mark.parametrize("timer", ["after", "grid"])
def test_without_an_interval_there_is_no_pause(timer: str) -> None:
    assert asked(timer, 0.1, interval_s=0.0) == [100.25, 100.35, 100.45, 100.55]


@pytest.mark.parametrize("clients", [7, 20, 300])
def test_phases_cover_the_cycle_evenly_whatever_the_number_of_clients(clients: int) -> None:
    phases = sorted(make_pace(SETTINGS, "seed", client).phase_s for client in range(clients))
    around = [*phases, phases[0] + 2]
    gaps = [after - before for before, after in pairwise(around)]
    assert 0 <= phases[0] < phases[-1] < 2
    assert max(gaps) < 2.7 * 2 / clients  # at random it would be 4 to 6


@pytest.mark.parametrize("apart_s", [0.0005, 0.05, 0.7])
def test_phases_are_as_even_when_clients_join_one_after_another(apart_s: float) -> None:
    moments = sorted(first_poll_s(client, 100 + client * apart_s) % 2 for client in range(100))
    gaps = [after - before for before, after in pairwise([*moments, moments[0] + 2])]
    assert max(gaps) < 2.7 * 2 / 100


def first_poll_s(client: int, joined_s: float) -> float:
    return joined_s + next(make_pace(SETTINGS, "seed", client).pauses(lambda: joined_s))


@pytest.mark.parametrize(
    ("changes", "cycle_s"),
    [
        ({"rtt_ms": 1000}, 3.0),
        ({"rtt_ms": 800, "jitter_ms": 200}, 3.0),
        ({"rtt_ms": 1000, "keepalive": False}, 4.0),
        ({"rtt_ms": 1000, "timer": "grid"}, 2.0),
        ({"rtt_ms": 2500, "timer": "grid"}, 4.0),
        ({"rtt_ms": 1000, "timer": "grid", "interval_s": 0.0}, 1.0),
    ],
)
def test_phases_cover_a_whole_cycle(changes: dict[str, Any], cycle_s: float) -> None:
    far = msgspec.structs.replace(SETTINGS, **changes)
    phases = [make_pace(far, "seed", client).phase_s for client in range(100)]
    assert 0.95 * cycle_s < max(phases) < cycle_s


def test_phases_start_anywhere_and_the_seed_repeats_them() -> None:
    firsts = [make_pace(SETTINGS, str(seed), 1).phase_s for seed in range(100)]
    assert min(firsts) < 0.2
    assert max(firsts) > 1.8
    assert firsts == [make_pace(SETTINGS, str(seed), 1).phase_s for seed in range(100)]
