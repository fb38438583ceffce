"""Print what faults cost, a table for each kind, for a terminal. No figure is computed here."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from analysis.faults_words import faults_table
from analysis.modes import MODES
from clients.log import Log

NAMES = ("mode", "reader")
WIDTHS = (13, 13, 6, 5, 6, 6, 8, 9, 8)  # all of them on a terminal of 80 columns


def print_faults(log: Log, console: Console) -> None:
    """Print the table of a log's faults; nothing where there were none."""
    found = faults_table(log)
    if found is None:
        return
    heads = (*NAMES, *found["heads"])
    for place, group in enumerate(found["groups"]):
        console.print(f"\n{group['kind']}", style="bold", highlight=False)
        console.print(_table(heads, group["rows"], headed=place == 0))
    lines = (found["told"], found["held"])
    console.print("\n", *(f"{line}. " for line in lines if line), sep="", highlight=False)


def _table(heads: Sequence[str], rows: Sequence[dict[str, Any]], *, headed: bool) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=headed)
    for head, width in zip(heads, WIDTHS, strict=True):
        side: Any = "left" if head in NAMES else "right"
        table.add_column(head, justify=side, width=width, overflow="fold")
    for row in rows:
        table.add_row(MODES[row["mode"]].name, row["reader"], *row["cells"])
    return table
