"""Print the summary as a table for a terminal. No figure is computed here."""

from collections.abc import Callable, Iterator
from itertools import islice
from textwrap import fill
from typing import Any

import msgspec
import polars as pl
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from analysis.comparison_table import OFF_PERCENT, is_off
from analysis.comparisons import SHORT, sentences
from analysis.modes import MODES
from analysis.rows import differing, rows, varied
from analysis.summary import PREDICTED
from analysis.wording import (
    NBSP,
    NOTHING,
    VARIABLES,
    apart,
    duration,
    holding,
    measured,
    percent,
    plain,
    signed_percent,
    span,
)
from clients.log import Log

Row = dict[str, Any]

SETTING, THEORY, INTERVAL = "setting", "theory", "95 %\ninterval"
NARROW = 14  # characters of a setting, where room is scarce
MOST_WIDE = 1000  # characters: no table is wider
MOST_SENTENCES = 3
MOST_SPARE = 4


FLAG = (
    "theory: the mean latency beside what theory expects; ! marks a row of which a figure is more"
    f" than {OFF_PERCENT}{NBSP}% off."
)


class Column(msgspec.Struct, frozen=True):
    """A column: its head, its cell, and which are left out first on a narrow terminal."""

    head: str
    cell: Callable[[Row], str]
    spare: int = 0
    left: bool = False


def print_table(log: Log, summary: pl.DataFrame, console: Console) -> None:
    """Print a line for each setting and mode, a void one saying so; then compare the modes."""
    every = rows(log, summary)
    records = every.to_dicts()
    columns = [*_setting(every), *COLUMNS]
    if _width(columns, records, console) > console.width:
        columns = [_narrow(column) if column.head == SETTING else column for column in columns]
    for least in range(MOST_SPARE, 0, -1):
        if _width(columns, records, console) > console.width:
            columns = [column for column in columns if column.spare < least]
    console.print(_table(columns, records))
    flagged = any(column.head == THEORY for column in columns) and any(map(_is_off, records))
    compared = list(_compared(log, every))
    spans = bool(compared) or any(column.head == INTERVAL for column in columns)
    told = f"{holding(every)}." if spans and holding(every) else ""
    for line in (*compared, *filter(None, [told, FLAG if flagged else ""])):
        console.print(Padding(line, (0, 0, 0, 2)), highlight=False)


def _table(columns: list[Column], records: list[Row]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    for column in columns:
        justify = "left" if column.left else "right"
        table.add_column(column.head, justify=justify, no_wrap=True)  # type: ignore[arg-type]
    for row in records:
        cells = [column.cell(row) for column in columns]
        table.add_row(*cells, style="dim" if row["void"] else None)
    return table


def _width(columns: list[Column], records: list[Row], console: Console) -> int:
    unlimited = console.options.update_width(MOST_WIDE)
    return console.measure(_table(columns, records), options=unlimited).maximum


def _narrow(column: Column) -> Column:
    """Write a cell in several lines."""
    return Column(column.head, lambda row: fill(column.cell(row), NARROW), left=True)


def _compared(log: Log, every: pl.DataFrame) -> Iterator[str]:
    for sentence in islice(sentences(log, every, SHORT), MOST_SENTENCES):
        yield f"{sentence}."


def _setting(every: pl.DataFrame) -> list[Column]:
    """Return what tells the settings apart: a number under its name, or several in words."""
    name, names = varied(every), differing(every)
    if not names:
        return []
    if name is not None and names == [name]:
        head = VARIABLES.get(name, name).replace(" ", "\n", 1)
        return [Column(head, lambda row: plain(row[name]))]
    return [Column(SETTING, lambda row: apart(row, names), left=True)]


def _bytes(row: Row) -> str:
    up, down = row["bytes_up_per_delivery"], row["bytes_down_per_delivery"]
    return measured(None if up is None else up + down)


def _cpu(row: Row) -> str:
    cpu_us = row["server_cpu_us_per_delivery"]
    return NOTHING if cpu_us is None else f"{measured(cpu_us)}{NBSP}µs"


def _interval(row: Row) -> str:
    low, high = row["latency_p50_ms_low"], row["latency_p50_ms_high"]
    return NOTHING if low is None else span((low, high), duration)


def _theory(row: Row) -> str:
    difference = row["latency_mean_ms_theory_difference_percent"]
    text = NOTHING if difference is None else signed_percent(difference)
    return f"{text}{NBSP}!" if _is_off(row) else text


def _is_off(row: Row) -> bool:
    return any(is_off(row, name) for name in PREDICTED)


def _trials(row: Row) -> str:
    if row["void"]:
        return "VOID"
    return f"{row['trials']} of {row['runs']}" if row["void_runs"] else str(row["trials"])


COLUMNS = (
    Column("mode", lambda row: MODES[row["mode"]].name, left=True),
    Column("p50", lambda row: duration(row["latency_p50_ms"])),
    Column(INTERVAL, _interval, spare=MOST_SPARE),
    Column("p99", lambda row: duration(row["latency_p99_ms"])),
    Column("mean", lambda row: duration(row["latency_mean_ms"]), spare=3),
    Column(THEORY, _theory, spare=1),
    Column("requests\n/msg", lambda row: measured(row["requests_per_delivery"])),
    Column("empty", lambda row: percent(row["empty_share"]), spare=2),
    Column("bytes\n/msg", _bytes),
    Column("CPU\n/msg", _cpu),
    Column("runs", _trials),
)
