"""Show two experiments held against each other: a table, a page, a CSV. No figure is computed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from analysis.against import COMPARED, Held, Pair
from analysis.comparisons import span, told
from analysis.modes import MODES
from analysis.pages import environment
from analysis.ratios import Ratio
from analysis.rows import differing
from analysis.wording import NBSP, NOTHING, apart, duration, holding_apart, measured
from clients.log import LogError

PAGE, DATA = "comparison.html", "comparison.csv"
ONE_RUN = "Without two good runs of each there is no interval"


def _microseconds(value: float | None) -> str:
    return NOTHING if value is None else f"{measured(value)}{NBSP}µs"


HEADS: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "latency_p50_ms": ("p50", duration),
    "latency_p99_ms": ("p99", duration),
    "latency_mean_ms": ("mean", duration),
    "requests_per_delivery": ("requests for each message", measured),
    "bytes_per_delivery": ("bytes for each message", measured),
    "server_cpu_us_per_delivery": ("server CPU for each message", _microseconds),
}
PRINTED = ("latency_p50_ms", "latency_p99_ms", "bytes_per_delivery", "server_cpu_us_per_delivery")


def write_comparison(folder: Path, held: Held) -> Path:
    """Write comparison.html and comparison.csv into the folder; return the page's path."""
    page = environment().get_template("comparison.html.j2")
    text = page.render(
        held=held,
        heads=[HEADS[name][0] for name in COMPARED],
        rows=[_row(pair, differing(held.rows)) for pair in held.pairs],
        several=bool(differing(held.rows)),
        holding=_holding(held),
        one_run=ONE_RUN,
        modes=MODES,
        nothing=NOTHING,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PAGE).write_text(text, encoding="utf-8")
        pl.DataFrame([_record(pair) for pair in held.pairs], infer_schema_length=None).write_csv(
            folder / DATA
        )
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None
    return folder / PAGE


def print_comparison(held: Held, console: Console) -> None:
    """Print how many times A's figures B's are, and what else differs."""
    names = differing(held.rows)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for head in ("mode", *(["setting"] if names else [])):
        table.add_column(head, no_wrap=True)
    for name in PRINTED:  # a narrow terminal folds the intervals
        table.add_column(HEADS[name][0].replace(" for each message", "\n/msg"), justify="right")
    for pair in held.pairs:
        void = _void(pair)
        lead = [MODES[pair.row["mode"]].name, *([apart(pair.row, names)] if names else [])]
        cells = [f"VOID in {void}" if void else _ratio(pair.ratios[name]) for name in PRINTED]
        table.add_row(*lead, *cells, style="dim" if void else None)
    console.print(f"A: {held.names[0]}\nB: {held.names[1]}", highlight=False, markup=False)
    console.print("How many times A's figures B's are, with 95 % intervals over runs:")
    console.print(table)
    console.print(f"{_holding(held) or ONE_RUN}.", highlight=False)
    for name, before, after in held.differences:
        line = f"  {name}: {before or NOTHING} \u2192 {after or NOTHING}"
        console.print(line, highlight=False, markup=False)
    if held.alone != (0, 0):
        before, after = map(str, held.alone)
        console.print(f"  left out: {before} rows of A and {after} of B have no partner")


def _holding(held: Held) -> str:
    return holding_apart(pair.runs for pair in held.pairs)


def _row(pair: Pair, names: list[str]) -> dict[str, Any]:
    return {
        "mode": pair.row["mode"],
        "setting": apart(pair.row, names),
        "void": _void(pair),
        "cells": [_cell(pair, name) for name in COMPARED],
    }


def _cell(pair: Pair, name: str) -> dict[str, Any]:
    _, write = HEADS[name]
    ratio = pair.ratios[name]
    return {
        "before": write(pair.before[name]),
        "after": write(pair.after[name]),
        "ratio": "" if ratio is None else _ratio(ratio),
        "differs": ratio is not None and told(ratio),
    }


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return NOTHING
    return f"\u00d7{NBSP}{span(ratio)}"


def _void(pair: Pair) -> str:
    sides = (("A", pair.row["void"]), ("B", pair.row["void_after"]))
    return " and ".join(side for side, void in sides if void)


def _record(pair: Pair) -> dict[str, Any]:
    record = dict(pair.row)
    for name in COMPARED:
        ratio = pair.ratios[name]
        record |= {
            f"{name}_a": pair.before[name],
            f"{name}_b": pair.after[name],
            f"{name}_ratio": None if ratio is None else ratio.value,
            f"{name}_ratio_low": None if ratio is None else ratio.low,
            f"{name}_ratio_high": None if ratio is None else ratio.high,
        }
    return record
