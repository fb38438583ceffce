"""Count how many figures agree with theory, and name those that are furthest. Text only."""

from collections.abc import Iterable
from typing import Any

import msgspec
import polars as pl

from analysis.comparison_table import LEAST_SHARE, OFF_PERCENT
from analysis.modes import MODES, concerning
from analysis.rows import differing
from analysis.summary import PREDICTED
from analysis.wording import apart, signed_percent

NEAR_PERCENT = 5  # what the scenario `theory` is held to
NAMES = {
    "latency_mean_ms": "mean latency",
    "latency_p99_ms": "p99",
    "requests_per_client_s": "requests",
    "empty_share": "empty share",
}


class Difference(msgspec.Struct, frozen=True):
    """By how many per cent of theory's a measured figure differs, and whose it is."""

    name: str
    percent: float

    @property
    def text(self) -> str:
        """The figure's name with its difference: `short polling's p99 (+7.1 %)`."""
        return f"{self.name} ({signed_percent(self.percent)})"


def differences(rows: pl.DataFrame) -> list[Difference]:
    """Return those of all figures of good rows that theory predicts, the furthest first.

    Shares that are nearly the same do not differ: of one that is close to nothing, a per cent more
    or less says nothing.
    """
    names = differing(rows)
    found = [
        Difference(_name(row, column, names), 0.0 if _same(row, column) else difference)
        for row in rows.filter(~pl.col("void")).iter_rows(named=True)
        for column in PREDICTED
        if (difference := row[f"{column}_theory_difference_percent"]) is not None
    ]
    return sorted(found, key=lambda each: -abs(each.percent))


def _same(row: dict[str, Any], column: str) -> bool:
    return column == "empty_share" and abs(row[column] - row[f"theory_{column}"]) <= LEAST_SHARE


def within(every: Iterable[Difference], percent: float) -> int:
    """Count the differences of at most so many per cent."""
    return sum(abs(each.percent) <= percent for each in every)


def agreement_of(rows: pl.DataFrame) -> dict[str, int | str] | None:
    """Return how many figures are within both limits, and the furthest; None without theory."""
    every = differences(rows)
    if not every:
        return None
    return {
        "count": len(every),
        "near": within(every, NEAR_PERCENT),
        "within": within(every, OFF_PERCENT),
        "furthest": every[0].text,
    }


def _name(row: dict[str, Any], column: str, names: list[str]) -> str:
    setting = apart(row, concerning(row["mode"], names))
    return f"{MODES[row['mode']].name}'s {NAMES[column]}{f' at {setting}' if setting else ''}"
