"""Put rows of the summary into phrases that answers are made of. No figure is computed here."""

from collections.abc import Iterable
from typing import Any

import polars as pl

from analysis.modes import MODES
from analysis.wording import figure

Row = dict[str, Any]


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


def of_100(share: float) -> str:
    """Write a share as so many of a hundred."""
    return "none" if share == 0 else figure(share * 100, 2)


def begun(text: str) -> str:
    """Begin a sentence."""
    return text[0].upper() + text[1:]
