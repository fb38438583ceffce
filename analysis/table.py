"""Print the summary as a table for a terminal. No figure is computed here."""

import polars as pl
from rich import box
from rich.console import Console
from rich.table import Table

from analysis.modes import MODES
from analysis.rows import rows, varied
from analysis.wording import NBSP, NOTHING, VARIABLES, duration, measured, percent, plain
from clients.log import Log

HEADS = (
    "mode",
    "p50",
    "p99",
    "requests\n/msg",
    "empty",
    "bytes\n/msg",
    "CPU\n/msg",
    "runs",
)


def print_table(log: Log, summary: pl.DataFrame, console: Console) -> None:
    """Print a line for each setting and mode; a void one says so."""
    name = varied(summary)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True, header_style="bold")
    heads = HEADS if name is None else (VARIABLES[name].replace(" ", "\n", 1), *HEADS)
    for head in heads:
        table.add_column(head, justify="left" if head == "mode" else "right", no_wrap=True)
    for row in rows(log, summary).iter_rows(named=True):
        cells = _cells(row) if name is None else [plain(row[name]), *_cells(row)]
        table.add_row(*cells, style="dim" if row["void"] else None)
    console.print(table)


def _cells(row: dict[str, float]) -> list[str]:
    up, down = row["bytes_up_per_delivery"], row["bytes_down_per_delivery"]
    cpu_us = row["server_cpu_us_per_delivery"]
    return [
        MODES[str(row["mode"])].name,
        duration(row["latency_p50_ms"]),
        duration(row["latency_p99_ms"]),
        measured(row["requests_per_delivery"]),
        percent(row["empty_share"]),
        measured(None if up is None else up + down),
        NOTHING if cpu_us is None else f"{measured(cpu_us)}{NBSP}µs",
        _trials(row),
    ]


def _trials(row: dict[str, float]) -> str:
    if row["void"]:
        return "VOID"
    return f"{row['trials']} of {row['runs']}" if row["void_runs"] else str(row["trials"])
