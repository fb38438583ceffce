"""Lay a setting's figures out by line and mode, with intervals, theory and their difference."""

from collections.abc import Callable
from typing import Any

import msgspec
import polars as pl

from analysis.wording import NOTHING, duration, measured, percent, signed_percent


class Line(msgspec.Struct, frozen=True):
    """A line of the table: a column of the summary, how it is written, and what predicts it."""

    column: str
    name: str
    write: Callable[[float | None], str] = measured
    theory: str = ""


class Cell(msgspec.Struct, frozen=True):
    """A figure as it is printed; empty texts are left out."""

    value: str
    interval: str = ""
    theory: str = ""
    difference: str = ""
    off: bool = False
    note: str = ""


OFF_PERCENT = 10  # further from theory than this, a figure is flagged
HUNDRED = 100  # messages, from which on one of them may be slower than p99
LEAST_SHARE = 0.01  # shares nearer to each other than this are the same


def _count(value: float | None) -> str:
    return NOTHING if value is None else f"{value:,.0f}"


LINES = (
    Line("latency_mean_ms", "latency, mean", duration, "theory_latency_mean_ms"),
    Line("latency_p50_ms", "latency, p50", duration),
    Line("latency_p90_ms", "latency, p90", duration),
    Line("latency_p99_ms", "latency, p99", duration, "theory_latency_p99_ms"),
    Line("latency_max_ms", "latency, longest", duration),
    Line("requests_per_client_s", "requests per client and second", measured,
         "theory_requests_per_client_s"),
    Line("requests_per_delivery", "requests per delivered message"),
    Line("empty_share", "empty responses", percent, "theory_empty_share"),
    Line("bytes_up_per_delivery", "bytes up per delivered message"),
    Line("bytes_down_per_delivery", "bytes down per delivered message"),
    Line("server_cpu_us_per_delivery", "server CPU per delivered message, µs"),
    Line("server_kib_per_client", "server memory per client, KiB"),
    Line("messages", "messages published in the window", _count),
    Line("deliveries", "deliveries of the window, to all clients", _count),
    Line("requests", "requests of the window, by measured clients", _count),
    Line("connections", "connections of the whole run, of all clients", _count),
    Line("lost", "lost, in the whole run", _count),
    Line("duplicates", "duplicates, in the whole run", _count),
    Line("out_of_order", "out of order, in the whole run", _count),
    Line("trials", "runs averaged", _count),
)  # fmt: skip


def compare_with_theory(rows: pl.DataFrame) -> list[tuple[str, list[Cell]]]:
    """Return each line's name and a cell for each row."""
    records = rows.to_dicts()
    return [(line.name, [_cell(line, row) for row in records]) for line in LINES]


def _cell(line: Line, row: dict[str, Any], percent: float = OFF_PERCENT) -> Cell:
    value = row[line.column]
    low, high = row.get(f"{line.column}_low"), row.get(f"{line.column}_high")
    expected = row[line.theory] if line.theory else None
    return Cell(
        line.write(value),
        "" if low is None else f"{line.write(low)} to {line.write(high)}",
        "" if expected is None else line.write(expected),
        _difference(row, line.column),
        is_off(row, line.column, percent),
        _few(row) if line.column == "latency_p99_ms" else "",
    )


def _few(row: dict[str, Any]) -> str:
    """Say of how many messages a p99 is, where they are so few that it is about the latest."""
    messages = row["messages"]
    return f"of {_count(messages)} messages" if messages and messages < HUNDRED else ""


def _difference(row: dict[str, Any], column: str) -> str:
    difference = row.get(f"{column}_theory_difference_percent")
    return "" if difference is None else signed_percent(difference)


def is_off(row: dict[str, Any], column: str, percent: float = OFF_PERCENT) -> bool:
    """Tell whether a figure is further than so many per cent from what theory expects."""
    difference = row.get(f"{column}_theory_difference_percent")
    if difference is None or abs(difference) <= percent:
        return False
    is_share = column == "empty_share"
    return not is_share or abs(row[column] - row[f"theory_{column}"]) > LEAST_SHARE


def theory_rows(rows: pl.DataFrame, percent: float = OFF_PERCENT) -> list[list[Cell]]:
    """Return for each row a cell for each figure that theory predicts, flagged when further off."""
    predicted = [line for line in LINES if line.theory]
    return [[_cell(line, row, percent) for line in predicted] for row in rows.iter_rows(named=True)]
