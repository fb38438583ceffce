"""Short polling waits a phase, then the interval, counted from the answer or on a grid."""

from collections.abc import Iterator
from itertools import islice

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


def test_phase_is_within_the_interval_and_the_seed_repeats_it() -> None:
    phases = [make_pace(SETTINGS, str(seed)).phase_s for seed in range(100)]
    assert 0 <= min(phases) < 0.2
    assert 1.8 < max(phases) <= 2
    assert phases == [make_pace(SETTINGS, str(seed)).phase_s for seed in range(100)]
