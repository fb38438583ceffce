"""Find where one mode has a smaller figure than another along a setting, and say so.

No measurement here, and no claim beyond it: a mode that comes to lie below another and then above
it again is said to lie below between the two places.
"""

import math
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import NamedTuple

import polars as pl

from analysis.modes import MODES, title
from analysis.rows import along, varied
from analysis.wording import PHRASES, figure


class Point(NamedTuple):
    """How far one mode lies above another at a setting, in log; sure: whether intervals part."""

    at: float
    above: float
    sure: bool


class Range(NamedTuple):
    """Where a mode has the smaller figure; None where nothing was measured beyond."""

    start: float | None
    end: float | None


def ranges(
    rows: pl.DataFrame, column: str, name: str, less: str, more: str
) -> tuple[Range, ...] | None:
    """Return where `less` has a smaller figure than `more`, on straight lines in log-log.

    None unless both have a good run at two settings at least, and are surely apart at one.
    """
    points = list(_points(rows, column, name, less, more))
    sure = [point for point in points if point.sure]
    if len(points) < 2 or not sure:
        return None
    found: list[Range] = [Range(None, None)] if sure[0].above < 0 else []
    for a, b in pairwise(sure):
        if a.above < 0 < b.above:
            found[-1] = Range(found[-1].start, _crossing(points, a, b))
        elif b.above < 0 < a.above:
            found.append(Range(_crossing(points, a, b), None))
    return tuple(found)


def one_sided(rows: pl.DataFrame, column: str, name: str, one: str, other: str) -> bool:
    """Tell whether one of two modes has the smaller figure at every setting, surely or not."""
    above = [point.above for point in _points(rows, column, name, one, other)]
    return all(each <= 0 for each in above) or all(each >= 0 for each in above)


def in_words(rows: pl.DataFrame, column: str, verb: str) -> str | None:
    """Say what a sweep shows: `Short polling <verb> long polling above about 0.9 ...`."""
    name = varied(rows)
    if name is None:
        return None
    said: dict[str, list[str]] = {}
    for pair in combinations(MODES, 2):
        found = {less: ranges(rows, column, name, less, more) or ()
                 for less, more in (pair, pair[::-1])}  # fmt: skip
        if all(found.values()):  # they change places
            less = min(pair, key=lambda mode: (len(found[mode]), found[mode][-1].end is not None))
            (more,) = set(pair) - {less}
            said.setdefault(less, []).append(f"{MODES[more].name} {places(found[less], name)}")
    return next((f"{title(less)} {verb} {', than '.join(said[less])}" for less in said), None)


def places(found: tuple[Range, ...], name: str) -> str:
    """Say where: `above about 5 messages/s`, `between about 5 and 50 messages/s`."""
    return " and ".join(_place(each, name) for each in found)


def _place(each: Range, name: str) -> str:
    if each.start is None or each.end is None:
        word, end = ("above", each.start) if each.end is None else ("below", each.end)
        return f"{word} {PHRASES[name].format('about ' + _about(end or 0.0, name))}"
    both = f"about {_about(each.start, name)} and {_about(each.end, name)}"
    return f"between {PHRASES[name].format(both)}"


def _points(rows: pl.DataFrame, column: str, name: str, one: str, other: str) -> Iterator[Point]:
    """Yield the settings at which both modes were measured, in their order."""
    known = rows.filter(~pl.col("void"), pl.col(column) > 0, pl.col(name) > 0)
    line = along(known, name)
    values = {mode: _values(line, column, name, mode) for mode in (one, other)}
    for mode, beside in ((one, other), (other, one)):
        if name in MODES[mode].ignores and len(values[mode]) == 1:  # it was measured once
            values[mode] = dict.fromkeys(values[beside], *values[mode].values())
    for at in sorted(values[one].keys() & values[other].keys()):
        low, here, high = values[one][at]
        least, there, most = values[other][at]
        yield Point(at, math.log(here / there), low > most or least > high)


def _values(
    line: pl.DataFrame, column: str, name: str, mode: str
) -> dict[float, tuple[float, float, float]]:
    """Return a mode's figure between the ends of its interval, by setting."""
    of_mode = line.filter(pl.col("mode") == mode).to_dicts()
    ends = f"{column}_low", column, f"{column}_high"
    return {
        row[name]: tuple(row[column] if row.get(end) is None else row[end] for end in ends)
        for row in of_mode
    }


def _crossing(points: list[Point], start: Point, end: Point) -> float:
    """Return where the sign changes between two places; by chance it may do so back and forth."""
    between = [point for point in points if start.at <= point.at <= end.at]
    found: list[float] = [
        a.at * (b.at / a.at) ** (a.above / (a.above - b.above))
        for a, b in pairwise(between)
        if a.above * b.above <= 0 and a.above != b.above
    ]
    return found[len(found) // 2]


def _about(value: float, name: str) -> str:
    """Write a place between two settings; of clients there are whole ones."""
    return str(math.ceil(value)) if name == "clients" else figure(value, 2)
