"""Say how many times one mode's figures are another's. Text and tables only, no figure is made.

The reference is the last mode in order, WebSocket; where kinds of a setting differ, a mode is
also held against itself in the usual kind.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import msgspec
import numpy as np
import polars as pl

from analysis.modes import MODES
from analysis.ratios import FIGURES, Key, Ratio, Sample, ratio, samples
from analysis.rows import differing, representative, varied
from analysis.wording import KINDS, NBSP, PHRASES, apart, figure, plain
from clients.log import Log

NAMES = {
    "latency_p50_ms": "p50 is",
    "latency_mean_ms": "mean latency is",
    "requests_per_delivery": "requests for each message are",
    "bytes_per_delivery": "bytes for each message are",
    "server_cpu_us_per_delivery": "server CPU for each message is",
}
SHORT = ("latency_p50_ms", "bytes_per_delivery", "server_cpu_us_per_delivery")
Row = dict[str, Any]
MOST_WITH_DECIMALS = 10
ABOUT_ONE = 0.1, 1.5  # between these, a ratio is written in hundredths


class Comparison(msgspec.Struct, frozen=True):
    """A row of the summary held against another, by figure; a ratio is None where there is none.

    group: what its sentence is about, common to several comparisons
    """

    group: str
    name: str
    ratios: dict[str, Ratio | None]


def comparisons(log: Log, rows: pl.DataFrame) -> list[Comparison]:
    """Return each kind against the usual one, and each mode at one setting against the reference.

    rows: as `rows.rows` returns them
    """
    found = samples(log)
    generator = np.random.default_rng(log.experiment.seed)
    return [
        Comparison(group, name, _ratios(found[_key(one)], found[_key(other)], generator))
        for group, name, one, other in (*_kinds(rows), *_modes(rows))
        if _key(one) in found and _key(other) in found
    ]


def sentences(log: Log, rows: pl.DataFrame, figures: tuple[str, ...] = FIGURES) -> Iterator[str]:
    """Yield a sentence for each figure: `Long polling's p50 is 1.9 to 2.1 times WebSocket's`."""
    every = comparisons(log, rows)
    for group, figure_name in product(dict.fromkeys(each.group for each in every), figures):
        held = [(each.name, each.ratios[figure_name]) for each in every if each.group == group]
        known = [(name, ratio) for name, ratio in held if ratio is not None]
        if known:
            say = _of_modes if group in MODES else _of_kinds
            yield _at(rows) + say(NAMES[figure_name], group, known)


def _of_modes(what: str, reference: str, told: list[tuple[str, Ratio]]) -> str:
    (first, ratio), *others = told
    lead = f"{_title(first)}'s {what} {in_words(ratio)} {MODES[reference].name}'s"
    return ", ".join([lead, *(f"{name}'s {in_words(held)}" for name, held in others)])


def _of_kinds(what: str, group: str, told: list[tuple[str, Ratio]]) -> str:
    parts = [f"{in_words(ratio)}{f' for {name}' if name else ''}" for name, ratio in told]
    return f"{_title(group)}: {what} {', '.join(parts)}"


def _title(text: str) -> str:
    return text[0].upper() + text[1:]


def in_words(ratio: Ratio) -> str:
    """Write a ratio with its interval: `1.9 to 2.1 times`; without one, `about 2.0 times`."""
    doubt = " (no difference that can be told)" if ratio.low is not None and not told(ratio) else ""
    return f"{span(ratio)}{NBSP}times{doubt}"


def span(ratio: Ratio) -> str:
    """Write a ratio's interval: `1.9 to 2.1`; without one, `about 2.0`."""
    if ratio.low is None or ratio.high is None:
        return f"about {_digits(ratio.value)}"
    low, high = _digits(ratio.low), _digits(ratio.high)
    if "." in low and ratio.high < MOST_WITH_DECIMALS:  # as many decimals as the lower end has
        high = f"{ratio.high:.{len(low.partition('.')[2])}f}"
    return low if low == high else f"{low} to {high}"


def told(ratio: Ratio) -> bool:
    """Tell whether the figures differ: an interval that leaves out one, as far as it is written."""
    if ratio.low is None or ratio.high is None:
        return False
    return not (_rounded(ratio.low) <= 1 <= _rounded(ratio.high))


def _rounded(value: float) -> float:
    return float(_digits(value).replace(",", ""))


def _digits(value: float) -> str:
    return f"{value:.2f}" if ABOUT_ONE[0] <= value < ABOUT_ONE[1] else figure(value, 2)


def _modes(rows: pl.DataFrame) -> Iterator[tuple[str, str, Row, Row]]:
    """Yield group, name, row and reference of the modes that have a good run."""
    there = representative(rows).filter(~pl.col("void")).to_dicts()
    for row in there[:-1]:
        yield there[-1]["mode"], MODES[row["mode"]].name, row, there[-1]


def _kinds(rows: pl.DataFrame) -> Iterator[tuple[str, str, Row, Row]]:
    """Yield group, name, row and the row of the usual kind of each row of another kind."""
    names = differing(rows)
    kinds = {name: next(iter(KINDS[name])) for name in names if name in KINDS}
    numbers = [name for name in names if name not in KINDS]
    every = rows.filter(~pl.col("void")).to_dicts() if kinds else []
    several = len({row["mode"] for row in every}) > 1
    for row in every:
        usual = row | kinds
        same = [
            each for each in every if all(each[name] == usual[name] for name in ("mode", *names))
        ]
        # A row that no kind concerns has the same words as its usual one.
        if same and apart(row, kinds) != apart(same[0], kinds):
            group = f"{apart(row, kinds)} in place of {apart(same[0], kinds)}"
            mode = MODES[row["mode"]].name if several else ""
            yield group, ", ".join(filter(None, [mode, apart(row, numbers)])), row, same[0]


def _at(rows: pl.DataFrame) -> str:
    name = varied(rows)
    if name is None:
        return ""
    return f"At {PHRASES[name].format(plain(representative(rows)[name][0]))}: "


def _ratios(one: Sample, other: Sample, generator: np.random.Generator) -> dict[str, Ratio | None]:
    return {name: ratio(one, other, name, generator) for name in FIGURES}


def _key(row: Row) -> Key:
    return row["setting"], row["mode"]
