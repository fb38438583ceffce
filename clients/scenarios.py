"""Named settings and the question that each answers. Data only."""

import msgspec

from clients.log import Settings


class Point(msgspec.Struct, frozen=True):
    """One setting of a scenario, and the modes that are measured at it."""

    settings: Settings
    modes: tuple[str, ...] = ("short", "long", "ws")


class Scenario(msgspec.Struct, frozen=True):
    """A question, the settings that answer it, and what is to be expected."""

    name: str
    question: str
    expected: str
    points: tuple[Point, ...]
    trials: int


QUICK = Settings(clients=20, rate_per_s=5, interval_s=1, hold_s=25, duration_s=3, warmup_s=0.5)
CHAT = Settings(clients=20, rate_per_s=1 / 3, interval_s=1, hold_s=25, duration_s=12, warmup_s=0.5)
SWEEP = Settings(clients=20, rate_per_s=2, interval_s=1, hold_s=25, duration_s=6, warmup_s=0.5)

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            name="quick",
            question="What does one chat feed cost and gain in each of the three modes?",
            expected="short polling waits half its interval; the other two deliver at once",
            points=(Point(QUICK),),
            trials=3,
        ),
        Scenario(
            name="chat",
            question='In a quiet room, how many answers say "nothing new"?',
            expected="e^(-1/3), 72 of 100, by short polling every second; none by WebSocket",
            points=(Point(CHAT),),
            trials=3,
        ),
        Scenario(
            name="interval",
            question="What does a shorter polling interval gain, and what does it cost?",
            expected="mean latency half the interval, requests per second one over it",
            points=(
                *(
                    Point(msgspec.structs.replace(SWEEP, interval_s=interval_s), ("short",))
                    for interval_s in (0.1, 0.2, 0.5, 1, 2, 5)
                ),
                Point(SWEEP, ("long", "ws")),
            ),
            trials=2,
        ),
    )
}
