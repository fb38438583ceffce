"""Say which mode was best in which setting, from rows of several experiments. No figure is made.

A setting counts when all modes have a good run there. Long polling and WebSocket know no interval,
and a WebSocket no new connection for each poll: theirs are the rows that are else alike.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import takewhile
from typing import Any

import msgspec
import polars as pl

from analysis.modes import MODES, POLLS, concerning
from analysis.rows import ALL_SETTINGS, differing, with_bytes
from analysis.runs import UNDISTURBED
from analysis.wording import LABELS, apart, duration, measured, plain

Row = dict[str, Any]
CLEAR = 1.05  # less than so many times the best figure, another is held to be as good


class Measure(msgspec.Struct, frozen=True):
    """A figure by which modes are compared, the less the better, and words for both ends."""

    column: str
    best: str
    worst: str
    unit: str
    write: Callable[[float | None], str] = measured


MEASURES = (
    Measure("latency_p50_ms", "shortest latency", "longest latency", "median", duration),
    Measure("total", "fewest bytes", "most bytes", "for each message"),
    Measure("link", "fewest bytes with TCP/IP", "most bytes with TCP/IP", "for each message"),
    Measure("server_cpu_us_per_delivery", "least server CPU", "most server CPU",
            "µs for each message"),
    Measure("server_kib_per_client", "least memory", "most memory", "KiB for each client"),
)  # fmt: skip


class Contest(msgspec.Struct, frozen=True):
    """All modes at one setting; label: what tells it from others of its experiment.

    place: the same where a single number varies, as its name and value
    """

    scenario: str
    label: str
    rows: dict[str, Row]
    place: tuple[str, str] | None = None

    def ranking(self, measure: Measure) -> list[tuple[str, float]]:
        """Return modes and figures, the best first; empty when a mode has none above zero."""
        figures = {mode: row[measure.column] for mode, row in self.rows.items()}
        if any(value is None or value <= 0 for value in figures.values()):
            return []
        return sorted(figures.items(), key=lambda each: each[1])

    def winner(self, measure: Measure) -> str | None:
        """Return the mode that is clearly best; None when another is as good.

        Clearly: by CLEAR times, and with an interval apart from the next one's, where both have one
        """
        best = self.best(measure)
        return best[0] if len(best) == 1 else None

    def best(self, measure: Measure) -> tuple[str, ...]:
        """Return the best mode, and after it those next to it that are as good."""
        ranking = self.ranking(measure)
        alike = takewhile(lambda each: not self._apart(measure, ranking[0], each), ranking)
        return tuple(mode for mode, _ in alike)

    def loser(self, measure: Measure) -> str | None:
        """Return the mode that is clearly worst, likewise."""
        ranking = self.ranking(measure)
        return ranking[-1][0] if ranking and self._apart(measure, *ranking[-2:]) else None

    def better_poll(self, measure: Measure) -> str | None:
        """Return which of the modes that poll is clearly better, likewise."""
        polls = [each for each in self.ranking(measure) if each[0] in POLLS]
        return polls[0][0] if polls and self._apart(measure, *polls[:2]) else None

    def _apart(self, measure: Measure, less: tuple[str, float], more: tuple[str, float]) -> bool:
        if more[1] < CLEAR * less[1]:
            return False
        high = self.rows[less[0]].get(f"{measure.column}_high")
        low = self.rows[more[0]].get(f"{measure.column}_low")
        return high is None or low is None or bool(high < low)


def contests(scenario: str, rows: pl.DataFrame) -> Iterator[Contest]:
    """Yield the settings of an experiment at which all modes have a good run."""
    running = rows.filter(~pl.col("void"), UNDISTURBED)
    good = with_bytes(running).to_dicts()
    names = differing(rows)
    for short in (row for row in good if row["mode"] == "short"):
        found = {mode: _partner(short, good, mode) for mode in MODES}
        there = {mode: row for mode, row in found.items() if row is not None}
        if len(there) == len(MODES):
            yield Contest(scenario, apart(short, names), there, _place(short, names))


def _place(row: Row, names: Sequence[str]) -> tuple[str, str] | None:
    name = next(iter(names), "")
    return (name, plain(row[name])) if list(names) == [name] and name in LABELS else None


def _partner(short: Row, good: Sequence[Row], mode: str) -> Row | None:
    same = concerning(mode, ALL_SETTINGS)
    alike = [
        row
        for row in good
        if row["mode"] == mode and all(row[name] == short[name] for name in same)
    ]
    exact = [row for row in alike if row["setting"] == short["setting"]]
    return next(iter([*exact, *alike]), None)
