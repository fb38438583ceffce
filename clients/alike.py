"""Which settings are alike but for how much is measured, and what follows for a scenario.

Options may make alike what a scenario has apart, and make of it what it was not written for.
"""

from collections.abc import Iterator, Sequence

import msgspec

from clients.records import Settings
from clients.scenarios import SCENARIOS, Point, Scenario


def once(points: Sequence[Point], own: Sequence[Point]) -> Iterator[Point]:
    """Let no mode be measured twice at settings that are alike: their rows would have one name.

    That stays which is most like one of the scenario's own, else the longest.
    """

    def worth(point: Point) -> tuple[int, float]:
        return max(_likeness(point, each) for each in own), point.settings.duration_s

    for point in points:
        alike = [each for each in points if _what(each) == _what(point)]
        modes = tuple(
            mode
            for mode in point.modes
            if max((each for each in alike if mode in each.modes), key=worth) is point
        )
        if modes:
            yield Point(point.settings, modes)


def expected(scenario: Scenario) -> str:
    """Say what is to be expected; and that it is of other settings, where options changed them."""
    own = SCENARIOS.get(scenario.name, scenario)
    if {_what(point) for point in scenario.points} <= {_what(point) for point in own.points}:
        return scenario.expected
    return f"{scenario.expected} (with the scenario's own settings: options have changed them)"


def _what(point: Point) -> Settings:
    """Return the settings without how much is measured."""
    return msgspec.structs.replace(point.settings, duration_s=0.0, warmup_s=0.0, sample_limit=0)


def _likeness(one: Point, other: Point) -> int:
    """Count the settings that are the same in both."""
    both = map(msgspec.structs.astuple, (one.settings, other.settings))
    return sum(a == b for a, b in zip(*both, strict=True))
