"""Put rows of the summary into phrases that answers are made of. No figure is computed here."""

from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from analysis.modes import MODES, title
from analysis.wording import figure

Row = dict[str, Any]
Write = Callable[[float], str]


def of_mode(rows: pl.DataFrame, mode: str, by: str) -> list[Row]:
    """Return a mode's rows in the order of a setting."""
    return rows.filter(pl.col("mode") == mode).sort(by).to_dicts()


def by_mode(rows: pl.DataFrame, column: str) -> dict[str, float]:
    """Return the figure of each mode, in the modes' order; rows of one setting."""
    known = rows.drop_nulls(column)
    values = dict(known.select("mode", column).iter_rows())
    return {mode: values[mode] for mode in MODES if mode in values}


def listed(parts: Iterable[str]) -> str:
    """Join with commas and a last `and`."""
    *most, last = parts
    return " and ".join(filter(None, [", ".join(most), last]))


def span(values: Iterable[float], write: Write) -> str:
    """Write the least and the most: `2.1 to 2.3`; once when they are written alike."""
    known = sorted(values)
    low, high = write(known[0]), write(known[-1])
    return low if low == high else f"{low} to {high}"


def of_100(share: float) -> str:
    """Write a share as so many of a hundred."""
    return "none" if share == 0 else figure(share * 100, 2)


def begun(text: str) -> str:
    """Begin a sentence."""
    return text[0].upper() + text[1:]


__all__ = ["MODES", "Row", "begun", "by_mode", "listed", "of_100", "of_mode", "span", "title"]
