"""The publisher's plan is a pure function, and a Poisson process where it says so."""

from itertools import pairwise

import numpy as np
import pytest

from clients.log import Settings
from clients.scenarios import SCENARIOS
from clients.schedule import SCHEDULES, check_rate, make_schedule

SETTINGS = Settings(
    clients=10, rate_per_s=5, interval_s=1, hold_s=25, duration_s=4, warmup_s=1, schedule="poisson"
)


def changed(**changes: object) -> Settings:
    return Settings(**({name: getattr(SETTINGS, name) for name in FIELDS} | changes))


FIELDS = Settings.__struct_fields__


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_times_are_in_order_and_the_window_is_full(schedule: str) -> None:
    plan = make_schedule(changed(schedule=schedule), "seed")
    assert list(plan.times_s) == sorted(plan.times_s)
    assert len(plan.window) == 20
    assert all(0 <= time <= 1 for time in plan.probes)
    assert plan.farewell > 5


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("rate_per_s", [0.01, 0.5, 5, 50])
def test_a_window_is_a_whole_number_of_gaps(schedule: str, rate_per_s: float) -> None:
    plan = make_schedule(changed(schedule=schedule, rate_per_s=rate_per_s), "seed")
    assert plan.probes[-1] == pytest.approx(1)
    assert plan.window[-1] == pytest.approx(5)


def test_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert make_schedule(SETTINGS, "a") == make_schedule(SETTINGS, "a")
    assert make_schedule(SETTINGS, "a").window != make_schedule(SETTINGS, "b").window


def test_probes_leave_a_large_crowd_time_to_fall_idle() -> None:
    few = make_schedule(changed(clients=1), "seed").probes
    many = make_schedule(changed(clients=900), "seed").probes
    assert len(few) == 20
    assert len(many) == 3


def test_probes_leave_a_long_poll_time_to_be_there_again() -> None:
    probes = make_schedule(changed(rtt_ms=100, jitter_ms=20, warmup_s=2), "seed").probes
    assert np.diff(probes).min() > 2 * (0.1 + 2 * 0.02)
    assert len(probes) == 6


def test_without_a_warm_up_a_message_still_comes_as_the_window_starts() -> None:
    assert make_schedule(changed(warmup_s=0), "seed").probes == (0,)


def test_periodic_messages_are_evenly_spaced() -> None:
    window = make_schedule(changed(schedule="periodic"), "seed").window
    assert [b - a for a, b in pairwise(window)] == pytest.approx([0.2] * 19)


def test_poisson_gaps_have_the_mean_and_the_spread_of_an_exponential() -> None:
    window = make_schedule(changed(rate_per_s=1000, duration_s=20), "seed").window
    gaps = np.diff(window)
    assert gaps.mean() == pytest.approx(1e-3, rel=0.001)
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.01)


def test_poisson_gaps_do_not_tell_of_the_next() -> None:
    gaps = np.diff(make_schedule(changed(rate_per_s=1000, duration_s=20), "seed").window)
    assert np.corrcoef(gaps[:-1], gaps[1:])[0, 1] == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("span_s", [0.1, 0.5, 1])
def test_poisson_leaves_as_much_time_beyond_a_span_as_a_stream_without_ends_does(
    span_s: float,
) -> None:
    plans = [make_schedule(changed(rate_per_s=2), f"seed {number}") for number in range(500)]
    gaps = [np.diff([1, *plan.window]) for plan in plans]  # of 8 messages in 4 s
    shares = [np.maximum(0, of_plan - span_s).sum() / 4 for of_plan in gaps]
    assert np.mean(shares) == pytest.approx(np.exp(-2 * span_s), abs=0.01)
    moments = np.random.default_rng(1).uniform(0, 4, (500, 8))
    moments.sort(axis=1)
    by_chance = np.diff(moments, axis=1, prepend=0, append=4)
    assert np.std(shares) < 0.5 * np.maximum(0, by_chance - span_s).sum(axis=1).std() / 4


@pytest.mark.parametrize(
    ("rate_per_s", "duration_s", "fits_s"),
    [(0.05, 5, "20"), (0.5, 5, "6"), (5, 0.3, "0.4"), (1 / 3, 2, "3"), (0.001, 5, "1000")],
)
def test_a_window_that_would_change_the_rate_is_refused_and_one_that_fits_is_named(
    rate_per_s: float, duration_s: float, fits_s: str
) -> None:
    with pytest.raises(ValueError, match=rf"choose --duration-s {fits_s}$"):
        check_rate(changed(rate_per_s=rate_per_s, duration_s=duration_s))
    check_rate(changed(rate_per_s=rate_per_s, duration_s=float(fits_s)))


def test_every_scenario_has_the_rate_that_it_says() -> None:
    for scenario in SCENARIOS.values():
        for point in scenario.points:
            check_rate(point.settings)


def test_a_slow_rate_still_publishes_once() -> None:
    assert len(make_schedule(changed(rate_per_s=0.01), "seed").window) == 1
