"""Theory over a link that jitters against a simulation of the link: means within 1 %."""

from bisect import bisect_right

import numpy as np
import pytest
from msgspec.structs import replace

from analysis.theory import MODES, Case, Floats, long_polling, short_polling, websocket
from tests.test_analysis_theory import (
    CASE,
    SHARES,
    Simulated,
    check,
    poisson,
    simulate_polls,
    ways_s,
)

FAR = replace(CASE, transit_s=0.2, round_trip_s=0.4, rearm_s=0.42)
JITTERS = [0.03, 0.18, 0.39]  # of which half is in d: from a little of it to nearly all


@pytest.mark.parametrize("on_schedule", [False, True])
@pytest.mark.parametrize("interval_s", [0.6, 1.0])
def test_short_polling_over_a_link_that_jitters(interval_s: float, *, on_schedule: bool) -> None:
    case = replace(FAR, interval_s=interval_s, jitter_s=0.18, on_schedule=on_schedule)
    check(case, "short", simulate_polls(case, poisson(case.rate_per_s)))


def test_jitter_makes_the_mean_wait_longer_than_half_a_mean_cycle() -> None:
    case = replace(FAR, interval_s=0.1, jitter_s=0.4)
    simulated, _, _ = simulate_polls(case, poisson(case.rate_per_s, 400_000))
    assert simulated.mean() > 1.01 * (case.transit_s + short_polling.cycle_s(case) / 2)
    assert short_polling.latency_mean_s(case) == pytest.approx(simulated.mean(), rel=0.01)


def simulate_long(case: Case, published: Floats) -> Simulated:
    """Return latencies, polls per second, and the empty share, poll after poll over the link.

    Of the gap G, a way down and a way up vary; a message that meets an armed poll takes a turn.
    """
    way_s, chance, times = ways_s(case), np.random.default_rng(8), published.tolist()
    turns = (chance.integers(1, case.clients + 1, len(times)) * case.per_reader_s).tolist()
    stack_s = case.rearm_s - 2 * case.transit_s
    latencies: list[float] = []
    armed, head, polls, empty = 0.0, 0, 0, 0
    while head < len(times):
        polls += 1
        known, answered, turn = bisect_right(times, armed), armed, 0.0
        if known == head:
            answered = min(armed + case.hold_s, times[head])
            known, turn = head + (times[head] == answered), turns[head]
            empty += known == head
        down = next(way_s)
        latencies += [answered + turn + down - at for at in times[head:known]]
        head, armed = known, answered + down + stack_s + next(way_s)
    return np.array(latencies), polls / armed, empty / polls


@pytest.mark.parametrize("jitter_s", JITTERS)
@pytest.mark.parametrize("rate", [0.5, 4.0, 20.0])
def test_long_polling_over_a_link_that_jitters(rate: float, jitter_s: float) -> None:
    case = replace(FAR, rate_per_s=rate, jitter_s=jitter_s)
    check(case, "long", simulate_long(case, poisson(rate, 150_000)))


def test_long_polling_over_a_link_that_jitters_answers_its_readers_in_turn() -> None:
    case = replace(FAR, rate_per_s=1.0, jitter_s=0.3, clients=50, per_reader_s=0.004)
    check(case, "long", simulate_long(case, poisson(case.rate_per_s, 150_000)))


def test_gaps_that_vary_let_messages_wait_longer_than_half_a_mean_gap() -> None:
    case = replace(FAR, rate_per_s=20.0, jitter_s=0.39)
    alike = replace(case, jitter_s=0.0)
    assert long_polling.latency_mean_s(case) > 1.04 * long_polling.latency_mean_s(alike)


def test_periodic_long_polls_that_are_never_armed_wait_out_gaps_that_vary() -> None:
    case = replace(FAR, rate_per_s=31.41, jitter_s=0.3, periodic=True)
    latencies, _, _ = simulate_long(case, np.arange(1, 100_000) / case.rate_per_s)
    assert long_polling.latency_mean_s(case) == pytest.approx(latencies.mean(), rel=0.01)


def simulate_stream(case: Case, published: Floats) -> Floats:
    """Return latencies of a reader at a random place, on a link where nothing overtakes."""
    chance, count = np.random.default_rng(9), len(published)
    before_s = case.clients * case.per_reader_s * np.arange(count)
    begun = np.maximum.accumulate(published - before_s) + before_s
    places = chance.integers(1, case.clients + 1, count)
    took = case.transit_s + case.jitter_s * chance.uniform(-0.5, 0.5, count)
    return np.maximum.accumulate(begun + places * case.per_reader_s + took) - published


def check_stream(case: Case, published: Floats, *, near: float = 0.01) -> None:
    latencies = simulate_stream(case, published)
    assert websocket.latency_mean_s(case) == pytest.approx(latencies.mean(), rel=near)
    for share in SHARES:
        expected = websocket.latency_quantile_s(case, share)
        assert expected == pytest.approx(np.quantile(latencies, share), rel=0.02)
    points = np.quantile(latencies, SHARES)
    assert websocket.latency_cdf(case, points) == pytest.approx(SHARES, abs=near)


@pytest.mark.parametrize("jitter_s", JITTERS)
@pytest.mark.parametrize("rate", [0.5, 4.0, 20.0])
def test_websocket_over_a_link_that_jitters_delivers_in_order(rate: float, jitter_s: float) -> None:
    case = replace(FAR, rate_per_s=rate, jitter_s=jitter_s)
    check_stream(case, poisson(rate))


def test_a_message_that_may_not_overtake_is_later_than_the_link_made_it() -> None:
    case = replace(FAR, rate_per_s=20.0, jitter_s=0.39)
    assert websocket.latency_mean_s(case) > 1.3 * case.transit_s
    assert websocket.latency_mean_s(replace(case, rate_per_s=0.01)) == pytest.approx(
        case.transit_s, rel=0.002
    )


def test_websocket_of_a_periodic_source_over_a_link_that_jitters() -> None:
    for rate in (2.0, 7.0, 31.41):
        case = replace(FAR, rate_per_s=rate, jitter_s=0.39, periodic=True)
        check_stream(case, np.arange(1, 300_000) / rate)


def test_websocket_fanout_over_a_link_that_jitters() -> None:
    case = replace(FAR, clients=100, per_reader_s=0.0005, rate_per_s=4.0, jitter_s=0.18)
    check_stream(case, poisson(case.rate_per_s), near=0.02)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("periodic", [False, True])
def test_next_to_no_jitter_changes_next_to_nothing(mode: str, *, periodic: bool) -> None:
    still = replace(FAR, clients=30, per_reader_s=0.001, periodic=periodic)
    theory, shaken = MODES[mode], replace(still, jitter_s=1e-6)
    for share in SHARES:
        quantile_s = theory.latency_quantile_s(still, share)
        assert theory.latency_quantile_s(shaken, share) == pytest.approx(quantile_s, rel=0.01)
    assert theory.latency_mean_s(shaken) == pytest.approx(theory.latency_mean_s(still), rel=1e-4)
    assert theory.empty_share(shaken) == pytest.approx(theory.empty_share(still))
