"""Lay some figures of every setting out in one table, the least of each setting marked."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import msgspec
import polars as pl

from analysis.comparison_table import LINES
from analysis.rows import differing
from analysis.wording import NBSP, NOTHING, apart

Row = dict[str, Any]
UNRANKED = {"trials", "connections", "messages", "deliveries"}  # less of them is not better


class Figure(msgspec.Struct, frozen=True):
    """A figure as it is printed, and whether no other mode's at its setting is written smaller."""

    text: str
    least: bool = False


class Group(msgspec.Struct, frozen=True):
    """The rows of one setting: each a mode, whether it is void, and its figures."""

    setting: str
    rows: tuple[tuple[str, bool, tuple[Figure, ...]], ...]


def heads(columns: Sequence[str]) -> list[str]:
    """Return the columns' names."""
    return [LINE[name].name for name in columns]


def groups(every: pl.DataFrame, columns: Sequence[str]) -> list[Group]:
    """Return the figures by setting, in the order of the rows."""
    names = differing(every)
    by_setting = groupby(every.to_dicts(), key=lambda row: apart(row, names))
    found = [(setting, list(rows)) for setting, rows in by_setting]
    # A mode that no setting concerns stands apart, and would have to be held against each of them.
    together = len(found) == 1 or all(setting for setting, _ in found)
    return [_group(setting, rows, columns, mark=together) for setting, rows in found]


def _group(setting: str, rows: Sequence[Row], columns: Sequence[str], *, mark: bool) -> Group:
    marked = {name: _least(name, rows) if mark else None for name in columns}
    return Group(
        ", ".join(part.replace(" ", NBSP) for part in setting.split(", ")),
        tuple(
            (row["mode"], row["void"], tuple(_figure(name, row, marked[name]) for name in columns))
            for row in rows
        ),
    )


def _figure(name: str, row: Row, least: str | None) -> Figure:
    text = LINE[name].write(row[name])
    return Figure(text, not row["void"] and text == least)


def _least(name: str, rows: Sequence[Row]) -> str | None:
    """Return how the least good figure is written; None where there is nothing to compare."""
    good = [row[name] for row in rows if not row["void"] and row[name] is not None]
    written = {LINE[name].write(value) for value in good}
    if name in UNRANKED or len(written - {NOTHING}) < 2:
        return None
    return LINE[name].write(min(good))


LINE = {line.column: line for line in LINES}
