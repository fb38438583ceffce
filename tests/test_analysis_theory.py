"""Each formula against a simulation of the mode: within 1 %, fan-out under load within 2 %."""

from bisect import bisect_right
from collections.abc import Iterator

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from analysis.theory import MODES, Case, Floats, long_polling, short_polling, websocket

CASE = Case(
    clients=1,
    rate_per_s=2.0,
    interval_s=1.0,
    hold_s=1.5,
    transit_s=0.05,
    round_trip_s=0.1,
    rearm_s=0.12,
    per_reader_s=0.0,
    session_s=60.0,
)
Simulated = tuple[Floats, float, float]
MANY = 300_000
SHARES = np.array([0.1, 0.5, 0.9, 0.99])


def poisson(rate: float, count: int = MANY, seed: int = 1) -> Floats:
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


def simulate_short(case: Case, published: Floats) -> Simulated:
    """Return latencies, polls per second, and the empty share, of polls every I + R."""
    cycle = case.interval_s + case.round_trip_s
    polls = np.arange(0.37 * cycle, published[-1], cycle)
    read = np.searchsorted(polls, published)
    published, read = published[read < len(polls)], read[read < len(polls)]
    latencies = polls[read] - published + case.transit_s
    return latencies, 1 / cycle, 1 - different(read) / len(polls)


def different(read: NDArray[np.int64]) -> int:
    """Return how many polls brought something: they are in order."""
    return 1 + int(np.count_nonzero(np.diff(read)))


def simulate_long(case: Case, published: Floats) -> Simulated:
    """Return latencies, polls per second, and the empty share, poll after poll."""
    times, latencies = published.tolist(), list[float]()
    armed, head, polls, empty = 0.0, 0, 0, 0
    while head < len(times):
        polls += 1
        known = bisect_right(times, armed)
        if known > head:
            answered = armed
        elif times[head] < armed + case.hold_s:
            answered, known = times[head], head + 1
        else:
            answered = armed + case.hold_s
            empty += 1
        latencies += [answered - at + case.transit_s for at in times[head:known]]
        head, armed = known, answered + case.rearm_s
    return np.array(latencies), polls / armed, empty / polls


def simulate_websocket(case: Case, published: Floats, seed: int = 2) -> Floats:
    """Return the latency of a reader at a random place, behind a queue of fan-outs."""
    service = case.clients * case.per_reader_s
    free, begun = 0.0, np.empty_like(published)
    for i, at in enumerate(published):
        begun[i] = max(at, free)
        free = begun[i] + service
    places = np.random.default_rng(seed).integers(1, case.clients + 1, len(published))
    return begun - published + places * case.per_reader_s + case.transit_s


def check(case: Case, mode: str, simulated: Simulated, tolerance: float = 0.01) -> None:
    latencies, requests_per_s, empty = simulated
    theory = MODES[mode]
    assert theory.latency_mean_s(case) == pytest.approx(latencies.mean(), rel=tolerance)
    assert theory.requests_per_client_s(case) == pytest.approx(requests_per_s, rel=0.01)
    assert theory.empty_share(case) == pytest.approx(empty, rel=0.01, abs=0.003)
    for share in SHARES:
        expected = theory.latency_quantile_s(case, share)
        assert expected == pytest.approx(np.quantile(latencies, share), rel=0.015)
    points = np.quantile(latencies, SHARES) * 1.0001
    within = [(latencies <= point).mean() for point in points]
    assert theory.latency_cdf(case, points) == pytest.approx(within, abs=0.005)


@pytest.mark.parametrize("rate", [0.2, 2.0, 20.0])
def test_short_polling_waits_for_the_end_of_a_random_cycle(rate: float) -> None:
    case = replace(CASE, rate_per_s=rate)
    check(case, "short", simulate_short(case, poisson(rate, 1_000_000)))


def ways_s(case: Case) -> Iterator[float]:
    """Yield how long each way over the link takes: d, J/2 more or less."""
    chance = np.random.default_rng(4)
    while True:
        yield from (case.transit_s + case.jitter_s * chance.uniform(-0.5, 0.5, 10_000)).tolist()


def simulate_polls(case: Case, published: Floats, handshake_s: float = 0.0) -> Simulated:
    """Return latencies, polls per second and the empty share, poll after poll over the link.

    Each poll may begin with a handshake.
    """
    way_s = ways_s(case)
    asked, answers, sent = [], [], 0.37
    while sent < published[-1]:
        asked.append(sent + handshake_s + next(way_s))
        answers.append(asked[-1] + next(way_s))
        if case.on_schedule:
            passed = (answers[-1] - 0.37) // case.interval_s
            sent = 0.37 + (passed + 1) * case.interval_s
        else:
            sent = answers[-1] + case.interval_s
    read = np.searchsorted(asked, published)
    published, read = published[read < len(asked)], read[read < len(asked)]
    empty = 1 - different(read) / len(asked)
    return np.array(answers)[read] - published, len(asked) / sent, empty


POLLS = replace(CASE, transit_s=0.2, round_trip_s=0.4)


@pytest.mark.parametrize("rate", [0.7, 4.0])
@pytest.mark.parametrize("interval_s", [0.15, 0.3, 1.0])  # C = 0.45, 0.6, 1
def test_short_polling_on_a_fixed_schedule_skips_the_moments_while_a_poll_is_out(
    rate: float, interval_s: float
) -> None:
    case = replace(POLLS, rate_per_s=rate, interval_s=interval_s, on_schedule=True)
    check(case, "short", simulate_polls(case, poisson(rate, round(150_000 * rate))))


@pytest.mark.parametrize("rate", [0.7, 4.0])
def test_short_polling_that_opens_a_connection_each_time_takes_two_round_trips_more(
    rate: float,
) -> None:
    case = replace(POLLS, rate_per_s=rate, round_trip_s=0.8)
    assert short_polling.cycle_s(case) == pytest.approx(1.0 + 2 * 0.4)
    check(case, "short", simulate_polls(case, poisson(rate), handshake_s=0.4))


@pytest.mark.parametrize("rate", [0.3917, 0.8031])
def test_short_polling_of_a_periodic_source_is_empty_when_the_period_outlasts_the_cycle(
    rate: float,
) -> None:
    case = replace(CASE, rate_per_s=rate, periodic=True)
    check(case, "short", simulate_short(case, np.arange(1, 100_000) / rate))


@pytest.mark.parametrize("rate", [0.3, 2.0, 10.0, 40.0])
def test_long_polling_is_late_only_for_what_meets_the_gap(rate: float) -> None:
    case = replace(CASE, rate_per_s=rate)
    check(case, "long", simulate_long(case, poisson(rate, MANY // 4)))


def test_long_polling_has_the_closed_quantile_without_a_fanout() -> None:
    share = long_polling.armed_share(CASE)
    closed = CASE.transit_s + CASE.rearm_s * (0.99 - share) / (1 - share)
    assert long_polling.latency_quantile_s(CASE, 0.99) == pytest.approx(closed)


def test_long_polling_takes_up_to_three_transits_and_no_more() -> None:  # RFC 6202, section 2.2
    case = replace(CASE, rate_per_s=30.0, rearm_s=2 * CASE.transit_s)
    assert long_polling.latency_quantile_s(case, 1.0) == pytest.approx(3 * case.transit_s)


@pytest.mark.parametrize("rate", [2.0, 3.17, 9.37, 31.41])
def test_long_polling_of_a_periodic_source(rate: float) -> None:
    case = replace(CASE, rate_per_s=rate, periodic=True)
    published = np.arange(1, 50_000) / rate
    latencies, requests_per_s, empty = simulate_long(case, published)
    assert long_polling.latency_mean_s(case) == pytest.approx(latencies.mean(), rel=0.01)
    assert long_polling.requests_per_client_s(case) == pytest.approx(requests_per_s, rel=0.01)
    assert long_polling.empty_share(case) == pytest.approx(empty, abs=0.001)


def test_long_polling_of_a_rare_periodic_source_counts_the_holds_that_end() -> None:
    case = replace(CASE, rate_per_s=0.2, periodic=True)
    _, requests_per_s, empty = simulate_long(case, np.arange(1, 5_000) / 0.2)
    assert long_polling.requests_per_client_s(case) == pytest.approx(requests_per_s, rel=0.01)
    assert long_polling.empty_share(case) == pytest.approx(empty, rel=0.01)


@pytest.mark.parametrize("periodic", [False, True])
def test_long_polling_without_messages_asks_once_a_hold(periodic: bool) -> None:
    silent = replace(CASE, rate_per_s=0.0, periodic=periodic)
    assert long_polling.requests_per_client_s(silent) == pytest.approx(1 / (0.12 + 1.5))
    assert long_polling.empty_share(silent) == 1


def test_long_polling_answers_its_readers_one_after_another() -> None:
    case = replace(CASE, clients=100, per_reader_s=0.001, rearm_s=0.0)
    places = np.random.default_rng(3).integers(1, 101, MANY) * 0.001 + case.transit_s
    assert long_polling.latency_mean_s(case) == pytest.approx(places.mean(), rel=0.01)
    assert long_polling.latency_quantile_s(case, 0.9) == pytest.approx(
        np.quantile(places, 0.9), rel=0.01
    )


def test_message_that_meets_the_gap_waits_for_no_turn() -> None:
    # Of the simulated polls' messages, only those that found the poll armed take a turn.
    case = replace(CASE, clients=40, per_reader_s=0.001, rate_per_s=8.0)
    latencies, _, _ = simulate_long(case, poisson(case.rate_per_s, MANY // 3))
    turns = np.random.default_rng(3).integers(1, 41, len(latencies)) * case.per_reader_s
    met = np.isclose(latencies, case.transit_s, atol=1e-9)
    latencies = latencies + np.where(met, turns, 0)
    assert long_polling.latency_mean_s(case) == pytest.approx(latencies.mean(), rel=0.01)
    for share in SHARES:
        expected = np.quantile(latencies, share)
        assert long_polling.latency_quantile_s(case, share) == pytest.approx(expected, rel=0.015)


@pytest.mark.parametrize("rho", [0.1, 0.5, 0.75])
def test_websocket_fanout_queues_behind_earlier_fanouts(rho: float) -> None:
    case = replace(CASE, clients=100, per_reader_s=0.0005, rate_per_s=rho / 0.05, transit_s=0.002)
    latencies = simulate_websocket(case, poisson(case.rate_per_s, seed=5))
    assert websocket.latency_mean_s(case) == pytest.approx(latencies.mean(), rel=0.02)
    for share in SHARES:
        assert websocket.latency_quantile_s(case, share) == pytest.approx(
            np.quantile(latencies, share), rel=0.04
        )


def test_websocket_far_tail_goes_on_falling() -> None:
    case = replace(CASE, clients=10, per_reader_s=0.01, rate_per_s=9.5)
    shares = websocket.latency_cdf(case, np.linspace(0.1, 8, 400))
    assert (np.diff(shares) >= -1e-9).all()
    assert shares[-1] == pytest.approx(1, abs=1e-3)


def test_websocket_of_a_periodic_source_does_not_queue() -> None:
    case = replace(CASE, clients=10, per_reader_s=0.01, rate_per_s=9, periodic=True)
    assert websocket.latency_mean_s(case) == pytest.approx(0.05 + 0.055)


def test_an_overloaded_websocket_has_no_finite_latency() -> None:
    case = replace(CASE, clients=100, per_reader_s=0.01, rate_per_s=2)
    assert websocket.latency_mean_s(case) == np.inf
    assert websocket.latency_quantile_s(case, 0.5) == np.inf
    assert websocket.latency_cdf(case, np.array([0.1, 1e6])).tolist() == [0, 0]


def test_websocket_asks_once_a_session_and_never_in_vain() -> None:
    assert websocket.requests_per_client_s(CASE) == 1 / 60
    assert websocket.empty_share(CASE) == 0


def test_without_any_cost_a_message_is_there_at_once() -> None:
    free = replace(CASE, transit_s=0, round_trip_s=0, interval_s=0, rearm_s=0)
    for theory in MODES.values():
        assert theory.latency_mean_s(free) == 0
        assert theory.latency_cdf(free, np.array([0.0, 1.0])) == pytest.approx([1, 1])
    assert short_polling.requests_per_client_s(free) == np.inf


def test_on_a_schedule_a_cycle_is_an_interval_at_least_and_without_one_a_round_trip() -> None:
    case = replace(CASE, on_schedule=True)
    assert short_polling.cycle_s(replace(case, round_trip_s=0.0)) == 1.0
    assert short_polling.cycle_s(replace(case, interval_s=0.0)) == 0.1
