"""Hold one experiment against another: two machines, two commits. No files here.

Rows are paired by setting and mode. The runs of two experiments share nothing, so that each
ratio's interval comes from drawing the runs of both for themselves.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import polars as pl

from analysis.ratios import FIGURES, Ratio, Sample, ratio, samples
from analysis.rows import ALL_SETTINGS, rows
from analysis.summary import LENGTHS, summarise
from clients.log import Experiment, Log, LogError

COMPARED = ("latency_p50_ms", "latency_p99_ms", *FIGURES[1:])
PAIR = ("mode", *ALL_SETTINGS)
Row = dict[str, Any]


class Pair(msgspec.Struct, frozen=True):
    """One setting and mode in both experiments.

    row: its settings and mode; ratios: how many times the first's figures the second's are
    runs: over how many good runs of either, the fewer counted
    before, after: the figures by name; None where they were not measured
    """

    row: Row
    runs: int
    before: dict[str, float | None]
    after: dict[str, float | None]
    ratios: dict[str, Ratio | None]


class Held(msgspec.Struct, frozen=True):
    """Two experiments held against each other.

    differences: what of machine, versions and settings is not alike: name, the first's, the
        second's; alone: rows that only one of them has, of the first and of the second
    """

    names: tuple[str, str]
    question: str
    rows: pl.DataFrame
    pairs: tuple[Pair, ...]
    differences: tuple[tuple[str, str, str], ...]
    alone: tuple[int, int]
    faults: tuple[str, ...]


def hold(before: Log, after: Log, names: tuple[str, str]) -> Held:
    """Hold `after` against `before`; raise LogError when they share no setting, or have no run."""
    for name, log in zip(names, (before, after), strict=True):
        if log.runs.is_empty():
            raise LogError(f"{name} holds no run: measure again, and let a run end")
    first, second = _rows(before), _rows(after)
    common = first.join(second, on=PAIR, how="inner", suffix="_after", maintain_order="left")
    if common.is_empty():
        scenarios = f"{before.experiment.scenario} and {after.experiment.scenario}"
        raise LogError(
            f"{names[0]} and {names[1]} have no setting in common ({scenarios}): "
            "give two experiments of one scenario"
        )
    pairs = tuple(_pairs(common, samples(before), samples(after), before.experiment.seed))
    alone = first.height - common.height, second.height - common.height
    differences = tuple(_differences(before.experiment, after.experiment))
    shown = common.select(first.columns)
    faults = tuple(
        f"{name}: {fault}"
        for name, log in zip(names, (before, after), strict=True)
        for fault in log.faults
    )
    return Held(names, after.experiment.question, shown, pairs, differences, alone, faults)


def _rows(log: Log) -> pl.DataFrame:
    every = rows(log, summarise(log)).unique(PAIR, keep="first", maintain_order=True)
    both = pl.col("bytes_up_per_delivery") + pl.col("bytes_down_per_delivery")
    return every.with_columns(bytes_per_delivery=both)


def _pairs(
    common: pl.DataFrame,
    before: dict[tuple[int, str], Sample],
    after: dict[tuple[int, str], Sample],
    seed: int,
) -> Iterator[Pair]:
    generator = np.random.default_rng(seed)
    for row in common.iter_rows(named=True):
        new = after.get((row["setting_after"], row["mode"]))
        old = before.get((row["setting"], row["mode"]))
        known = old is not None and new is not None
        yield Pair(
            {name: row[name] for name in PAIR}
            | {"void": row["void"], "void_after": row["void_after"]},
            min(len(sample.trials) if sample else 0 for sample in (old, new)),
            {name: row[name] for name in COMPARED},
            {name: row[f"{name}_after"] for name in COMPARED},
            {
                name: ratio(new, old, name, generator, pair=False) if known else None  # type: ignore[arg-type]
                for name in COMPARED
            },
        )


def _differences(before: Experiment, after: Experiment) -> Iterator[tuple[str, str, str]]:
    for part in ("machine", "versions"):
        old, new = getattr(before, part), getattr(after, part)
        for name in dict.fromkeys([*old, *new]):
            if old.get(name) != new.get(name):
                yield name, str(old.get(name, "")), str(new.get(name, ""))
    for name in ("scenario", "trials", "seed", "url", "started_utc"):
        if getattr(before, name) != getattr(after, name):
            yield name, str(getattr(before, name)), str(getattr(after, name))
    yield from _settings(before, after)


def _settings(before: Experiment, after: Experiment) -> Iterator[tuple[str, str, str]]:
    for name in (*ALL_SETTINGS, *LENGTHS):
        old, new = (
            sorted({getattr(setting, name) for setting in each.settings})
            for each in (before, after)
        )
        if old != new:
            yield name, _listed(old), _listed(new)


def _listed(values: list[Any]) -> str:
    return ", ".join(f"{value:g}" if isinstance(value, float) else str(value) for value in values)
