"""Read what `quantum-leap` left: the article's figures beside the measured ones.

No figure is measured here, and of those that are nothing is recomputed but their ratio.
"""

from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from analysis.wording import NBSP, NOTHING, figure, plain
from clients.log import (
    HEADER_DETAILS,
    HEADER_FILES,
    HEADER_ROWS,
    HeaderTraffic,
    LogError,
    shortcomings,
)

QUESTION = "What do 1,000 and 10,000 clients cost in headers alone?"
EXPECTED = "6.6 and 66 Mbps by polling against 0.015 and 0.153 over WebSocket, 435 to 1"
SOURCE = (
    "Lubbers and Greco, \u201cHTML5 Web Sockets: A Quantum Leap in Scalability for the Web\u201d;"
    " their Mbps are 2^20 bits a second"
)
COLUMNS = {
    "clients": "clients",
    "polling_printed_mbps": "printed",
    "polling_counted_mbps": "871 characters",
    "polling_wire_mbps": "909 bytes",
    "polling_measured_mbps": "measured",
    "websocket_printed_mbps": "printed",
    "websocket_counted_mbps": "2 bytes",
    "websocket_measured_mbps": "measured",
}
POLLING, WEBSOCKET = "polling_measured_mbps", "websocket_measured_mbps"


class Leap(msgspec.Struct, frozen=True):
    """The table, with a row for each number of clients, and the crowds that were measured."""

    rows: pl.DataFrame
    crowds: tuple[HeaderTraffic, ...]

    @property
    def void(self) -> bool:
        """Whether nothing good was measured: no figure stands for what did not hold."""
        return not any(each.good for each in self.crowds)


def read_leap(folder: Path) -> Leap:
    """Read the folder; raise LogError when it is not what `quantum-leap` writes."""
    try:
        numbers = dict.fromkeys(COLUMNS, pl.Float64)
        read = pl.read_csv(folder / HEADER_ROWS, schema_overrides=numbers, glob=False)
        rows = read.select(*COLUMNS)
        details = (folder / HEADER_DETAILS).read_bytes()
        crowds = msgspec.json.decode(details, type=tuple[HeaderTraffic, ...])
    except (OSError, ValueError, pl.exceptions.PolarsError) as error:
        line = str(error).splitlines()[0]
        raise LogError(f"{folder} cannot be read ({line}): measure it again") from None
    return Leap(rows, crowds)


def answer(leap: Leap) -> str | None:
    """Give the largest crowd that was measured in both ways; None without one."""
    measured = leap.rows.drop_nulls([POLLING, WEBSOCKET]).filter(pl.col(WEBSOCKET) > 0)
    if measured.is_empty():
        return None
    row = measured.sort("clients").row(-1, named=True)
    ratio = figure(row[POLLING] / row[WEBSOCKET])
    printed = _cell(row["polling_printed_mbps"]), _cell(row["websocket_printed_mbps"])
    beside = f"; the article prints {printed[0]} and {printed[1]}" if NOTHING not in printed else ""
    return (
        f"The headers of {plain(row['clients'])} clients come to {_cell(row[POLLING])}{NBSP}Mbps by"
        f" polling and {_cell(row[WEBSOCKET])} over WebSocket, {ratio} to 1{beside}"
    )


def cells(leap: Leap) -> list[list[str]]:
    """Return the table as it is printed, with a last column for the measured ratio."""
    return [
        [plain(row["clients"]), *(_cell(row[name]) for name in list(COLUMNS)[1:]), _ratio(row)]
        for row in leap.rows.iter_rows(named=True)
    ]


def chapter(name: str, leap: Leap) -> dict[str, Any]:
    """Return what a report shows of the article; name: of its folder."""
    return {
        "name": name,
        "question": QUESTION,
        "expected": EXPECTED,
        "source": SOURCE,
        "answer": answer(leap),
        "heads": [*COLUMNS.values(), "measured ratio"],
        "rows": cells(leap),
        "remarks": list(shortcomings(leap.crowds)),
        "files": HEADER_FILES,
    }


def _ratio(row: dict[str, float | None]) -> str:
    polling, websocket = row[POLLING], row[WEBSOCKET]
    return f"{figure(polling / websocket)} to 1" if polling and websocket else NOTHING


def _cell(mbps: float | None) -> str:
    return NOTHING if mbps is None else f"{mbps:.3f}" if mbps < 2 else f"{mbps:,.1f}"
