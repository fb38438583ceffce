"""Say how many times one mode's figures are another's. Text and tables only, no figure is made.

The reference is the last mode in order, WebSocket; where kinds of a setting differ, a mode is
also held against itself in the usual kind.
"""

from collections.abc import Iterator
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
NEAR = 0.1  # a ratio so near to one needs a third digit


class Comparison(msgspec.Struct, frozen=True):
    """A row of the summary held against another, by figure; a ratio is None where there is none."""

    name: str
    reference: str
    ratios: dict[str, Ratio | None]


def comparisons(log: Log, rows: pl.DataFrame) -> list[Comparison]:
    """Return each mode at one setting against the reference, and each kind against the usual one.

    rows: as `rows.rows` returns them
    """
    found = samples(log)
    generator = np.random.default_rng(log.experiment.seed)
    names = differing(rows)
    return [
        Comparison(
            _name(one, other, names),
            _name(other, one, names),
            _ratios(found[_key(one)], found[_key(other)], generator),
        )
        for one, other in (*_kinds(rows), *_modes(rows))
        if _key(one) in found and _key(other) in found
    ]


def sentences(log: Log, rows: pl.DataFrame, figures: tuple[str, ...] = FIGURES) -> Iterator[str]:
    """Yield a sentence for each figure: `Long polling's p50 is 1.9 to 2.1 times WebSocket's`."""
    every = comparisons(log, rows)
    at = _at(rows)
    for name in figures:
        for reference in dict.fromkeys(each.reference for each in every):
            told = [(each.name, each.ratios[name]) for each in every if each.reference == reference]
            known = [(who, held) for who, held in told if held is not None]
            if known:
                yield _sentence(name, known, reference, at)


def _sentence(name: str, told: list[tuple[str, Ratio]], reference: str, at: str) -> str:
    (first, ratio), *others = told
    lead = f"{_possessive(first)} {NAMES[name]} {in_words(ratio)} {_possessive(reference)}"
    rest = [f"{_possessive(who)} {in_words(held)}" for who, held in others]
    text = ", ".join([lead, *rest])
    return at + text if at else text[0].upper() + text[1:]


def in_words(ratio: Ratio) -> str:
    """Write a ratio with its interval: `1.9 to 2.1 times`; without one, `about 2.0 times`."""
    if ratio.low is None or ratio.high is None:
        return f"about {_digits(ratio.value)}{NBSP}times"
    low, high = _digits(ratio.low), _digits(ratio.high)
    doubt = " (no difference that can be told)" if ratio.low <= 1 <= ratio.high else ""
    return f"{low if low == high else f'{low} to {high}'}{NBSP}times{doubt}"


def _digits(value: float) -> str:
    return figure(value, 3 if abs(value - 1) < NEAR else 2)


def _possessive(name: str) -> str:
    return f"{name}'s" if not name.endswith(")") else f"{name.replace(' (', chr(39) + 's (', 1)}"


def _modes(rows: pl.DataFrame) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    there = representative(rows).filter(~pl.col("void")).to_dicts()
    for row in there[:-1]:
        yield row, there[-1]


def _kinds(rows: pl.DataFrame) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield rows of another kind than the usual, each with the row of the usual one."""
    names = differing(rows)
    kinds = {name: next(iter(KINDS[name])) for name in names if name in KINDS}
    every = rows.filter(~pl.col("void")).to_dicts()
    for row in every if kinds else []:
        usual = row | kinds
        same = [
            each for each in every if all(each[name] == usual[name] for name in ("mode", *names))
        ]
        if same and same[0] is not row:
            yield row, same[0]


def _name(row: dict[str, Any], other: dict[str, Any], names: list[str]) -> str:
    """Name a row by its mode, and by what tells it from the other row of that mode."""
    name = MODES[row["mode"]].name
    differs = apart(row, names) if row["mode"] == other["mode"] else ""
    return f"{name} ({differs})" if differs else name


def _at(rows: pl.DataFrame) -> str:
    name = varied(rows)
    if name is None:
        return ""
    return f"At {PHRASES[name].format(plain(representative(rows)[name][0]))}, "


def _ratios(one: Sample, other: Sample, generator: np.random.Generator) -> dict[str, Ratio | None]:
    return {name: ratio(one, other, name, generator) for name in FIGURES}


def _key(row: dict[str, Any]) -> Key:
    return row["setting"], row["mode"]
