"""Find where two modes change places along a setting, and say so. No measurement here."""

import math
from collections.abc import Iterator
from itertools import combinations, pairwise
from typing import NamedTuple

import polars as pl

from analysis.modes import MODES, title
from analysis.rows import along, varied
from analysis.wording import PHRASES, figure


class Crossing(NamedTuple):
    """Beyond `at`, `less` has the smaller figure of the two."""

    less: str
    more: str
    at: float


def crossings(rows: pl.DataFrame, column: str, name: str) -> Iterator[Crossing]:
    """Yield the crossings of each two modes, on straight lines between points in log-log."""
    known = rows.filter(~pl.col("void"), pl.col(column) > 0, pl.col(name) > 0)
    if known.is_empty():
        return
    line = along(known, name)
    values: dict[str, dict[float, float]] = {mode: {} for mode in MODES}
    for mode, x, y in line.select("mode", name, column).iter_rows():
        values[mode][x] = math.log(y)
    for of_mode in values.values():
        if len(of_mode) == 1:  # a mode that does not know this setting was measured once
            of_mode.update(dict.fromkeys(line[name], next(iter(of_mode.values()))))
    for one, other in combinations(MODES, 2):
        shared = sorted(values[one].keys() & values[other].keys())
        for a, b in pairwise(shared):
            before = values[one][a] - values[other][a]
            after = values[one][b] - values[other][b]
            if before * after < 0:
                at = a * (b / a) ** (before / (before - after))
                yield Crossing(*((one, other) if after < 0 else (other, one)), at)


def in_words(rows: pl.DataFrame, column: str, verb: str) -> str | None:
    """Say what a sweep shows: `Short polling <verb> long polling above about 0.9 ...`."""
    name = varied(rows)
    found = list(crossings(rows, column, name)) if name else []
    if not found or name is None:
        return None
    first = found[0]
    parts = [
        f"{MODES[each.more].name} above {PHRASES[name].format(_about(each.at, name))}"
        for each in found
        if each.less == first.less
    ]
    return f"{title(first.less)} {verb} {', than '.join(parts)}"


def _about(value: float, name: str) -> str:
    """Write a place between two settings; of clients there are whole ones."""
    return f"about {math.ceil(value) if name == 'clients' else figure(value, 2)}"
