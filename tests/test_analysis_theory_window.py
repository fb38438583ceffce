"""A planned window, simulated from probe to farewell, shows what theory says of an endless feed."""

import random
from collections.abc import Iterator

import numpy as np
import pytest
from msgspec.structs import replace

from analysis.theory import MODES, Case
from clients.log import Settings
from clients.schedule import make_schedule
from tests.made_log import CLIENTS, LEAD_S, STACK_S, TRANSIT_S, Span, line

# As the scenarios have it: a short warm-up, and windows that hold few messages.
QUICK = Settings(clients=20, rate_per_s=2, interval_s=1, hold_s=25, duration_s=6, warmup_s=0.8)
RARE = replace(QUICK, rate_per_s=0.1, duration_s=20)


class Window:
    """What so many runs came to, of one client each."""

    def __init__(self, mode: str, settings: Settings, runs: int) -> None:
        self.settings = settings
        self.polls = self.empty = 0
        self.latencies: list[float] = []
        for seed in range(runs):
            plan = make_schedule(settings, str(seed))
            times = [LEAD_S + at_s for at_s in plan.times_s]
            first = len(plan.probes)
            spans = self._spans(mode, times, random.Random(f"client {seed}"))
            self._add(spans, times, range(first, first + len(plan.window)))
        self.per_s = self.polls / runs / settings.duration_s
        self.empty_share = self.empty / self.polls

    def _spans(self, mode: str, times: list[float], chance: random.Random) -> Iterator[Span]:
        settings = self.settings
        # Short polls begin anywhere in a cycle; long polls are armed before the first probe.
        cycle_s = round_trip_s(settings) + (settings.interval_s if mode == "short" else 0.01)
        start_s = LEAD_S - round_trip_s(settings) - chance.uniform(0, cycle_s)
        return CLIENTS[mode](settings, times, start_s, 0, line(settings, chance))

    def _add(self, spans: Iterator[Span], times: list[float], messages: range) -> None:
        start = LEAD_S + self.settings.warmup_s
        end = start + self.settings.duration_s
        for span in spans:
            if start <= span.start_s < end:
                self.polls += 1
                self.empty += not span.news
            for message, at in span.news:
                if message in messages:
                    self.latencies.append(at - times[message])

    @property
    def case(self) -> Case:
        settings = self.settings
        return Case(
            clients=1,
            rate_per_s=settings.rate_per_s,
            interval_s=settings.interval_s,
            hold_s=settings.hold_s,
            transit_s=transit_s(settings),
            round_trip_s=round_trip_s(settings),
            rearm_s=round_trip_s(settings) + STACK_S,
            per_reader_s=0.0,
            session_s=60.0,
            periodic=settings.schedule == "periodic",
            jitter_s=settings.jitter_ms / 1e3,
        )


def transit_s(settings: Settings) -> float:
    return TRANSIT_S + (settings.rtt_ms + settings.jitter_ms) / 2000


def round_trip_s(settings: Settings) -> float:
    opening_s = 0 if settings.keepalive else 2 * (TRANSIT_S + settings.rtt_ms / 2000)
    return 2 * transit_s(settings) + opening_s


def changed(settings: Settings, **changes: float | bool | str) -> Settings:
    return replace(settings, **changes)


SHORT = [
    changed(QUICK, rate_per_s=1 / 3, duration_s=12),
    changed(QUICK, interval_s=0.05, duration_s=2),
    changed(QUICK, interval_s=0.5),
    changed(QUICK, clients=1000, warmup_s=2),
    changed(QUICK, rtt_ms=100, rate_per_s=0.5, duration_s=30, interval_s=2),
    changed(QUICK, rtt_ms=100, rate_per_s=8, duration_s=15, interval_s=0.2),
    changed(QUICK, rtt_ms=800, rate_per_s=0.5, duration_s=20),
    changed(QUICK, rtt_ms=300, rate_per_s=1, keepalive=False, duration_s=12),
    changed(QUICK, rtt_ms=40, jitter_ms=200, interval_s=0.3),
]


@pytest.mark.parametrize("settings", SHORT)
def test_short_polls(settings: Settings) -> None:
    window, theory = Window("short", settings, 4_000), MODES["short"]
    assert window.empty_share == pytest.approx(theory.empty_share(window.case), rel=0.03)
    assert window.per_s == pytest.approx(theory.requests_per_client_s(window.case), rel=0.01)
    assert np.mean(window.latencies) == pytest.approx(theory.latency_mean_s(window.case), rel=0.01)


# Few gaps cannot be longer and shorter than a hold as often as they should be: 15 s are not here.
HOLDS = [
    *(changed(RARE, hold_s=hold_s) for hold_s in (1, 5)),
    changed(RARE, hold_s=0.3, clients=1000, warmup_s=2),
    changed(RARE, hold_s=1, rtt_ms=100),
    changed(RARE, hold_s=5, rtt_ms=100, keepalive=False),
    changed(RARE, hold_s=5, rtt_ms=40, jitter_ms=60),
]


@pytest.mark.parametrize("settings", HOLDS)
def test_long_polls_that_bring_nothing(settings: Settings) -> None:
    window, theory = Window("long", settings, 3_000), MODES["long"]
    assert window.empty_share == pytest.approx(theory.empty_share(window.case), rel=0.02)
    assert window.per_s == pytest.approx(theory.requests_per_client_s(window.case), rel=0.02)


GAPS = [
    *(changed(QUICK, rtt_ms=rtt_ms) for rtt_ms in (0, 50, 100, 200, 300)),
    changed(QUICK, rtt_ms=600, duration_s=12),
    changed(QUICK, rtt_ms=100, rate_per_s=0.5, duration_s=30),
    changed(QUICK, rtt_ms=100, rate_per_s=8, duration_s=10),
    changed(QUICK, rtt_ms=100, keepalive=False, rate_per_s=5),
]


@pytest.mark.parametrize("settings", GAPS)
def test_messages_that_meet_long_pollings_gap(settings: Settings) -> None:
    window, theory = Window("long", settings, 3_000), MODES["long"]
    assert np.mean(window.latencies) == pytest.approx(theory.latency_mean_s(window.case), rel=0.02)
    assert window.per_s == pytest.approx(theory.requests_per_client_s(window.case), rel=0.02)


@pytest.mark.parametrize(
    ("mode", "settings"),
    [
        ("short", changed(QUICK, rate_per_s=1 / 3, duration_s=12)),
        ("short", changed(QUICK, rtt_ms=100, rate_per_s=0.5)),
        ("long", changed(QUICK, rate_per_s=0.1, duration_s=40, hold_s=1.5)),
        ("long", changed(QUICK, rtt_ms=160, duration_s=3)),
    ],
)
def test_periodic_source(mode: str, settings: Settings) -> None:
    window = Window(mode, replace(settings, schedule="periodic"), 2_000)
    theory = MODES[mode]
    assert window.empty_share == pytest.approx(theory.empty_share(window.case), rel=0.02)
    assert window.per_s == pytest.approx(theory.requests_per_client_s(window.case), rel=0.01)
