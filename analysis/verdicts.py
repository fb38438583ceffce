"""Say which mode when: where each was best, and who was best in settings that people know.

Text and tables only, made from contests.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from analysis.modes import MODES
from analysis.wins import MEASURES, Contest, Measure
from analysis.wording import LABELS, times

FEW = 0.5  # of all settings: where a mode is best at fewer, they are named
MOST_NAMED = 16


class Best(msgspec.Struct, frozen=True):
    """Who is best by one measure at one setting; others: how many times as much they take.

    modes: several, the least first, where no one of them is clearly best
    """

    modes: tuple[str, ...]
    text: str
    others: tuple[str, ...]


class Situation(msgspec.Struct, frozen=True):
    """A setting that people know, and the best mode there by each measure."""

    name: str
    scenario: str
    label: str
    best: tuple[Best | None, ...]


class Known(msgspec.Struct, frozen=True):
    """A setting that people know: a scenario's first or last between such bounds of a number."""

    name: str
    scenario: str
    place: int
    number: str
    least: float = 0.0
    most: float = math.inf


SITUATIONS = (
    Known("An ordinary chat", "quick", 0, "rate_per_s", 1, 10),
    Known("A quiet room", "chat", 0, "rate_per_s", most=0.5),
    Known("Next to no news", "rate", 0, "rate_per_s", most=0.2),
    Known("A busy feed", "rate", -1, "rate_per_s", least=20),
    Known("Far away", "distance", -1, "rtt_ms", least=200),
    Known("Long texts", "payload", -1, "payload_bytes", least=4096),
    Known("A crowd", "crowd", -1, "clients", least=500),
)


def situations(contests: Sequence[Contest]) -> list[Situation]:
    """Return the known settings that were measured, with the best mode by each measure."""
    found = []
    for known in SITUATIONS:
        there = [each for each in contests if _is(each, known)]
        if there:
            contest = there[known.place]
            best = tuple(_best(contest, measure) for measure in MEASURES)
            found.append(Situation(known.name, known.scenario, contest.label, best))
    return found


def _is(contest: Contest, known: Known) -> bool:
    """Tell whether a setting is the one that is meant, whatever the options have made of it."""
    number = contest.rows["short"].get(known.number, math.nan)
    return contest.scenario == known.scenario and known.least <= number <= known.most


def _best(contest: Contest, measure: Measure) -> Best | None:
    ranking = contest.ranking(measure)
    if not ranking:
        return None
    best, least = contest.best(measure), ranking[0][1]
    beside = tuple(
        f"{MODES[other].name} {times(value / least)}" for other, value in ranking[len(best) :]
    )
    return Best(best, measure.write(least), beside)


def verdicts(contests: Sequence[Contest]) -> Iterator[tuple[str, str]]:
    """Yield each mode with where it is best, and by which measures it is mostly the worst."""
    for mode in MODES:
        best = [part for measure in MEASURES if (part := _best_at(contests, measure, mode))]
        worst = [part for measure in MEASURES if (part := _worst_at(contests, measure, mode))]
        said = "; the ".join(best) or "best figure nowhere"
        but = f"; but the {', the '.join(worst)}" if worst else ""
        yield mode, f"{said}{but}{_beside_the_other_poll(contests, mode)}"


def _best_at(contests: Sequence[Contest], measure: Measure, mode: str) -> str:
    known = [each for each in contests if each.ranking(measure)]
    won = [each for each in known if each.winner(measure) == mode]
    if not won:
        return ""
    seldom = len(won) < FEW * len(known) and len(won) <= MOST_NAMED
    places = f" ({_places(won)})" if seldom else ""
    return f"{measure.best} at {len(won)} of {len(known)} settings{places}"


def _worst_at(contests: Sequence[Contest], measure: Measure, mode: str) -> str:
    known = [each for each in contests if each.ranking(measure)]
    last = [each.ranking(measure) for each in known if each.loser(measure) == mode]
    if len(last) < FEW * len(known) or not last:
        return ""
    most = max(ranking[-1][1] / ranking[0][1] for ranking in last)
    return f"{measure.worst} at {len(last)}, with up to {times(most)} the best"


def _places(where: Sequence[Contest]) -> str:
    """Name the settings by scenario: `quick; rate at 20, 50 messages/s`."""
    return "; ".join(
        _place(scenario, list(some))
        for scenario, some in groupby(where, key=lambda each: each.scenario)
    )


def _place(scenario: str, some: Sequence[Contest]) -> str:
    """Name settings of one scenario, the name of a number once."""
    values = [each.place[1] for each in some if each.place is not None]
    if some[0].place is not None and len(values) == len(some):
        return f"{scenario} at {LABELS[some[0].place[0]].format(', '.join(values))}"
    labels = [each.label for each in some if each.label]
    return f"{scenario} at {' and at '.join(labels)}" if labels else scenario


def _beside_the_other_poll(contests: Sequence[Contest], mode: str) -> str:
    """Say how long polling fares against short polling, where there can be no WebSocket."""
    if mode != "long":
        return ""
    parts = []
    for measure in MEASURES:
        known = [each for each in contests if each.ranking(measure)]
        ahead = sum(each.better_poll(measure) == mode for each in known)
        parts.append(f"{measure.best} at {ahead} of {len(known)}")
    return f". Of the two that poll it has the {', the '.join(parts)}"
