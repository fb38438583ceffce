"""The publisher's plan is a pure function, and a Poisson process where it says so."""

from itertools import pairwise

import numpy as np
import pytest

from clients.log import Settings
from clients.schedule import SCHEDULES, make_schedule

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
    assert all(1 <= time < 5 for time in plan.window)
    assert all(0 <= time < 1 for time in plan.probes)
    assert plan.farewell > 5


def test_same_seed_gives_the_same_plan_and_another_seed_another() -> None:
    assert make_schedule(SETTINGS, "a") == make_schedule(SETTINGS, "a")
    assert make_schedule(SETTINGS, "a").window != make_schedule(SETTINGS, "b").window


def test_probes_leave_a_large_crowd_time_to_fall_idle() -> None:
    few = make_schedule(changed(clients=1), "seed").probes
    many = make_schedule(changed(clients=900), "seed").probes
    assert len(few) == 19
    assert len(many) == 2


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


@pytest.mark.parametrize(("span_s", "scatter_of_uniform_moments"), [(0.1, 0.016), (1, 0.08)])
def test_poisson_leaves_as_much_time_beyond_a_span_as_uniform_moments_with_less_scatter(
    span_s: float, scatter_of_uniform_moments: float
) -> None:
    plans = [make_schedule(changed(rate_per_s=2), f"seed {number}") for number in range(500)]
    gaps = [np.diff([1, *plan.window, 5]) for plan in plans]  # of 8 messages in 4 s
    shares = [np.maximum(0, of_plan - span_s).sum() / 4 for of_plan in gaps]
    assert np.mean(shares) == pytest.approx((1 - span_s / 4) ** 9, abs=0.006)
    assert np.std(shares) < 0.7 * scatter_of_uniform_moments


def test_a_slow_rate_still_publishes_once() -> None:
    assert len(make_schedule(changed(rate_per_s=0.01), "seed").window) == 1
