"""The article's figures beside the measured ones: as rows, as files, as a table to print."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from clients.quantum_leap.article import (
    FRAME_BYTES,
    MBPS,
    POLL_CHARACTERS,
    REQUEST,
    RESPONSE,
    USE_CASES,
    wire,
)
from clients.quantum_leap.records import (
    HEADER_DETAILS,
    HEADER_ROWS,
    HeaderTraffic,
    shortcomings,
)

POLL_BYTES = len(wire(REQUEST)) + len(wire(RESPONSE))


class Row(msgspec.Struct, frozen=True):
    """Header traffic of so many clients, in the article's Mbps; None where there is no figure.

    *_printed: in the article; *_counted: its arithmetic, 871 characters and 2 bytes a message
    polling_wire: the same with line ends, 909 bytes; *_measured: on real sockets
    """

    clients: int
    polling_printed: float | None
    polling_counted: float
    polling_wire: float
    polling_measured: float | None
    websocket_printed: float | None
    websocket_counted: float
    websocket_measured: float | None


def rows(measured: Sequence[HeaderTraffic]) -> list[Row]:
    """Return a row for each of the article's crowds, and for each that was measured.

    Only a good measurement is a figure.
    """
    found = {(each.mode, each.clients): each.header_mbps for each in measured if each.good}
    printed = {case.clients: case for case in USE_CASES}
    return [
        Row(
            clients,
            case.polling_mbps if (case := printed.get(clients)) else None,
            _mbps(clients * POLL_CHARACTERS),
            _mbps(clients * POLL_BYTES),
            found.get(("polling", clients)),
            case.websocket_mbps if case else None,
            _mbps(clients * FRAME_BYTES),
            found.get(("websocket", clients)),
        )
        for clients in sorted({*printed, *(each.clients for each in measured)})
    ]


def write(folder: Path, measured: Sequence[HeaderTraffic]) -> None:
    """Write the rows as CSV, and each measurement as JSON, into `folder`."""
    with (folder / HEADER_ROWS).open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([f"{name}_mbps" if name != "clients" else name for name in FIELDS])
        lines.writerows(map(msgspec.structs.astuple, rows(measured)))
    text = msgspec.json.format(msgspec.json.encode(measured), indent=2)
    (folder / HEADER_DETAILS).write_bytes(text + b"\n")


def table(measured: Sequence[HeaderTraffic]) -> Table:
    """Lay the rows out for a terminal."""
    listed = Table(box=None, padding=(0, 2, 0, 0), title="Mbps of header traffic, in 2^20 bits")
    for heading in HEADINGS:
        listed.add_column(heading, justify="right")
    for row in rows(measured):
        _, *figures = msgspec.structs.astuple(row)
        listed.add_row(f"{row.clients:,}", *map(_cell, figures))
    return listed


def line(each: HeaderTraffic) -> str:
    """Say in a line what one measurement came to."""
    bytes_each = f"{each.header_bytes_per_message:.1f} bytes of headers a message"
    return f"{each.name}: {each.header_mbps:.3f} Mbps, {bytes_each}"


def remarks(measured: Iterable[HeaderTraffic]) -> list[str]:
    """Say in words what holds, and what does not."""
    ratio = POLL_CHARACTERS // FRAME_BYTES
    wire_ratio = POLL_BYTES // FRAME_BYTES
    return [
        f"{POLL_CHARACTERS} characters of headers are {POLL_BYTES} bytes with line ends.",
        f"Polling against WebSocket: {ratio} to 1 as the article counts, {wire_ratio} on the wire.",
        *shortcomings(measured),
    ]


def _mbps(bytes_per_s: float) -> float:
    return bytes_per_s * 8 / MBPS


def _cell(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.3f}" if figure < 2 else f"{figure:.1f}"


FIELDS = Row.__struct_fields__
HEADINGS = (
    "clients",
    "polling: printed",
    "871 B",
    "909 B",
    "measured",
    "WebSocket: printed",
    "2 B",
    "measured",
)
