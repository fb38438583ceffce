"""Theory of a window against a simulation of it: probes, the window, the farewell."""

import random
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from analysis.theory import MODES, Case, short_polling
from clients.log import Settings
from clients.schedule import Schedule, make_schedule
from tests.made_log import CLIENTS, LEAD_S, STACK_S, TRANSIT_S, Span, line

# As the scenarios have it: a short warm-up, and windows that hold few messages.
QUICK = Settings(clients=20, rate_per_s=2, interval_s=1, hold_s=25, duration_s=6, warmup_s=0.8)
RARE = replace(QUICK, rate_per_s=0.1, duration_s=20)
Plan = Callable[[Settings, int], Schedule]


def at_random(settings: Settings, seed: int) -> Schedule:
    """Plan a run whose messages fall at random moments, each for itself."""
    plan = as_planned(replace(settings, schedule="periodic"), seed)
    start, chance = settings.warmup_s, random.Random(seed)
    times = sorted(start + chance.uniform(0, settings.duration_s) for _ in plan.window)
    return replace(plan, window=tuple(times))


def as_planned(settings: Settings, seed: int) -> Schedule:
    return make_schedule(settings, str(seed))


class Window:
    """What so many runs came to, of one client each."""

    def __init__(self, mode: str, settings: Settings, runs: int, plan: Plan = at_random) -> None:
        self.settings = settings
        self.polls = self.empty = 0
        self.latencies: list[float] = []
        self.quiet_s: list[float] = []
        self.answered_s: list[float] = []
        for seed in range(runs):
            schedule = plan(settings, seed)
            self._add(schedule, self._spans(mode, schedule, random.Random(f"client {seed}")))
        self.per_s = self.polls / runs / settings.duration_s
        self.empty_share = self.empty / self.polls

    def _spans(self, mode: str, schedule: Schedule, chance: random.Random) -> Iterator[Span]:
        settings = self.settings
        # Short polls begin anywhere in a cycle; long polls are armed before the first probe.
        cycle_s = round_trip_s(settings) + (settings.interval_s if mode == "short" else 0.01)
        start_s = LEAD_S - round_trip_s(settings) - chance.uniform(0, cycle_s)
        return CLIENTS[mode](settings, published(schedule), start_s, 0, line(settings, chance))

    def _add(self, schedule: Schedule, spans: Iterator[Span]) -> None:
        start = LEAD_S + self.settings.warmup_s
        times, first = published(schedule), len(schedule.probes)
        messages = range(first, first + len(schedule.window))
        self.quiet_s.append(start - times[first - 1])
        for span in spans:
            if start <= span.start_s < start + self.settings.duration_s:
                self.polls += 1
                self.empty += not span.news
            for message, at in span.news:
                if message in messages:
                    self.latencies.append(at - times[message])
                elif message == first - 1:
                    self.answered_s.append(start - at + transit_s(self.settings))

    @property
    def case(self) -> Case:
        settings, transit = self.settings, transit_s(self.settings)
        return Case(
            clients=1,
            rate_per_s=settings.rate_per_s,
            interval_s=settings.interval_s,
            hold_s=settings.hold_s,
            transit_s=transit,
            round_trip_s=round_trip_s(settings),
            rearm_s=round_trip_s(settings) + STACK_S,
            per_reader_s=0.0,
            session_s=60.0,
            periodic=settings.schedule == "periodic",
            jitter_s=settings.jitter_ms / 1e3,
            window_s=settings.duration_s,
            quiet_s=float(np.mean(self.quiet_s)),
            answered_s=float(np.mean(self.answered_s)),
            farewell_s=0.05,
        )


def published(schedule: Schedule) -> list[float]:
    return [LEAD_S + at_s for at_s in schedule.times_s]


def transit_s(settings: Settings) -> float:
    return TRANSIT_S + (settings.rtt_ms + settings.jitter_ms) / 2000


def round_trip_s(settings: Settings) -> float:
    opening_s = 0 if settings.keepalive else 2 * (TRANSIT_S + settings.rtt_ms / 2000)
    return 2 * transit_s(settings) + opening_s


def changed(settings: Settings, **changes: float | bool | str) -> Settings:
    return replace(settings, **changes)


SHORT = [
    changed(QUICK, rate_per_s=1 / 3, duration_s=12),
    changed(QUICK, interval_s=0.05, duration_s=2),  # below the probes' spacing: none is seen late
    changed(QUICK, interval_s=0.5),
    QUICK,
    changed(QUICK, clients=1000, warmup_s=2),  # long quiet before the window
    changed(QUICK, rtt_ms=100, rate_per_s=0.5, duration_s=30, interval_s=2),
    changed(QUICK, rtt_ms=800, rate_per_s=0.5),  # polls are on their way when the farewell comes
    changed(QUICK, rtt_ms=800, interval_s=0.05, clients=1000, warmup_s=2),  # and when it starts
    changed(QUICK, rtt_ms=300, rate_per_s=1, keepalive=False),
    changed(QUICK, rtt_ms=40, jitter_ms=200, interval_s=0.3),
]


@pytest.mark.parametrize("settings", SHORT)
def test_short_polls_of_a_window_that_bring_nothing(settings: Settings) -> None:
    window, theory = Window("short", settings, 4_000), MODES["short"]
    assert theory.empty_share(window.case) == pytest.approx(window.empty_share, rel=0.03)
    assert theory.requests_per_client_s(window.case) == pytest.approx(window.per_s, rel=0.01)


HOLDS = [
    *(changed(RARE, hold_s=hold_s) for hold_s in (1, 5)),
    changed(RARE, hold_s=15, duration_s=30),
    changed(RARE, hold_s=0.3, clients=1000, warmup_s=2),  # holds end in the quiet before, too
    changed(RARE, hold_s=1, rtt_ms=100),
    changed(RARE, hold_s=5, rtt_ms=100, keepalive=False),
    changed(RARE, hold_s=5, rtt_ms=40, jitter_ms=60),
]


@pytest.mark.parametrize("settings", HOLDS)
def test_long_polls_of_a_window_that_bring_nothing(settings: Settings) -> None:
    window, theory = Window("long", settings, 3_000), MODES["long"]
    near = 0.03 if settings.jitter_ms else 0.012  # of a poll more or less, Q's mean knows little
    assert theory.empty_share(window.case) == pytest.approx(window.empty_share, rel=0.03)
    assert theory.requests_per_client_s(window.case) == pytest.approx(window.per_s, rel=near)


GAPS = [
    *(changed(QUICK, rtt_ms=rtt_ms) for rtt_ms in (0, 50, 100, 200, 300, 600)),
    changed(QUICK, rtt_ms=100, rate_per_s=0.5),
    changed(QUICK, rtt_ms=100, rate_per_s=8, duration_s=10),
    changed(QUICK, rtt_ms=100, keepalive=False, rate_per_s=5),
]


@pytest.mark.parametrize("settings", GAPS)
def test_messages_of_a_window_that_meet_long_pollings_gap(settings: Settings) -> None:
    window, theory = Window("long", settings, 3_000), MODES["long"]
    assert theory.latency_mean_s(window.case) == pytest.approx(np.mean(window.latencies), rel=0.012)
    assert theory.requests_per_client_s(window.case) == pytest.approx(window.per_s, rel=0.012)


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("short", changed(QUICK, rate_per_s=1 / 3, duration_s=12)),
        ("short", changed(QUICK, rtt_ms=100, rate_per_s=0.5)),
        ("long", changed(RARE, hold_s=1)),
        ("long", changed(RARE, hold_s=5, rtt_ms=80)),
        ("long", changed(QUICK, rtt_ms=160, duration_s=3)),
    ],
)
def test_periodic_source_in_a_window(mode: str, settings: Settings) -> None:
    window = Window(mode, replace(settings, schedule="periodic"), 2_000, as_planned)
    theory = MODES[mode]
    assert theory.empty_share(window.case) == pytest.approx(window.empty_share, rel=0.02)
    assert theory.requests_per_client_s(window.case) == pytest.approx(window.per_s, rel=0.01)


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("short", changed(QUICK, rate_per_s=1 / 3, duration_s=12)),
        ("short", changed(QUICK, interval_s=0.5)),
        ("short", changed(QUICK, rtt_ms=100, rate_per_s=0.5, duration_s=30, interval_s=2)),
        ("long", changed(RARE, hold_s=1)),
        ("long", changed(RARE, hold_s=5)),
    ],
)
def test_window_whose_gaps_are_drawn_in_equal_shares_is_like_any(
    mode: str, settings: Settings
) -> None:
    window = Window(mode, settings, 2_000, as_planned)
    assert MODES[mode].empty_share(window.case) == pytest.approx(window.empty_share, rel=0.02)


def test_a_cycle_without_news_lies_whole_within_the_window() -> None:
    case = Window("short", changed(QUICK, rate_per_s=0.5, duration_s=30), 1).case
    bare = replace(case, transit_s=0, round_trip_s=0, quiet_s=0, farewell_s=0)
    assert short_polling.empty_share(bare) == pytest.approx((1 - 1 / 30) ** 16, abs=0.001)


def test_the_interval_scenario_has_a_tenth_of_empty_polls_and_not_an_eighth() -> None:
    case = Window("short", QUICK, 1).case
    assert short_polling.empty_share(case) == pytest.approx(0.095, abs=0.001)
    assert short_polling.empty_share(replace(case, window_s=np.inf)) == pytest.approx(
        0.135, abs=0.001
    )


def test_a_span_that_outlasts_the_window_is_never_without_a_message() -> None:
    case = replace(Window("short", QUICK, 1).case, interval_s=7)
    assert MODES["short"].empty_share(case) == 0
    assert MODES["long"].empty_share(case) == 0


@pytest.mark.parametrize("mode", MODES)
def test_in_a_long_window_counted_messages_are_a_poisson_process(mode: str) -> None:
    short = Window("long", changed(QUICK, hold_s=1.5, rtt_ms=100), 1).case
    long, endless = replace(short, window_s=1e6), replace(short, window_s=np.inf)
    theory = MODES[mode]
    assert theory.empty_share(long) == pytest.approx(theory.empty_share(endless), rel=2e-4)
    assert theory.latency_mean_s(long) == pytest.approx(theory.latency_mean_s(endless), rel=1e-4)
    assert theory.requests_per_client_s(long) == pytest.approx(
        theory.requests_per_client_s(endless), rel=2e-4
    )
