"""Draw one delivered message of each mode byte by byte: a cell is a byte, green is the message."""

from typing import Any

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from analysis.charts.canvas import INK, QUIET, slide, style
from analysis.charts.ledger_rows import CELLS, Row, rows_of
from analysis.ledger import Ledger, split
from analysis.modes import MODES, title
from analysis.rows import rows
from analysis.wording import percent
from clients.log import Log

COLOURS = {
    "request head": "#b0b0b0",
    "response head": "#7a7a7a",
    "handshake": "#cfcfcf",
    "envelope": "#7a7a7a",
    "frame head": "#333333",
    "message": "#7cc9b0",
    "text": "#009E73",
}
DARK_GREEN = "#00704f"
NOTE = (
    "Green: the message as JSON; dark green: the text in it. Grey: heads; black: frame heads. "
    "TCP/IP comes on top."
)
NAME_ROOM = 66  # of cells: what stands before the bytes
GAP = 7  # of cells, between columns
COLUMN = NAME_ROOM + CELLS + GAP
THICK = 0.8  # of a row's height
LONGEST_NAME = 24  # letters
HEAD_POINTS = 70  # above the columns
BOTTOM = 0.075
LEAST_ROWS = 24  # so that few are not drawn large


def draw_ledger(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw the bytes of one delivery of each mode; None when the log kept none."""
    ledgers = {mode: split(log.wire[mode]) for mode in MODES if mode in log.wire}
    if not ledgers:
        return None
    measured = rows(log, summary)
    void = [mode for mode in ledgers if measured.filter(pl.col("mode") == mode)["void"].all()]
    subtitle = "One delivery as it was on the socket: one cell is one byte."
    with style():
        figure, axes = slide(_title(ledgers), subtitle, NOTE)
        _room(axes, ledgers)
        for place, (mode, ledger) in enumerate(ledgers.items()):
            _head(axes, mode, ledger, place * COLUMN, void=mode in void)
            lines = list(rows_of(ledger))
            for line, row in enumerate(lines):
                _row(axes, row, place * COLUMN, line)
            cells = place * COLUMN + NAME_ROOM  # what parts them is white, and seen on bytes alone
            axes.vlines(range(cells + 1, cells + CELLS), -0.5, len(lines), color="white", lw=0.4)
    return figure


def _title(ledgers: dict[str, Ledger]) -> str:
    """Say which share of a delivery's bytes is the message, once a WebSocket is open."""
    shares = [
        f"{percent(_message(ledger) / _again(ledger))} by {MODES[mode].name}"
        for mode, ledger in ledgers.items()
        if _again(ledger)
    ]
    listed = " and ".join(filter(None, [", ".join(shares[:-1]), *shares[-1:]]))
    opened = " once open" if "ws" in ledgers else ""
    return f"Message bytes among all bytes: {listed}{opened}"


def _message(ledger: Ledger) -> int:
    return ledger.bytes_of("message", "text")


def _again(ledger: Ledger) -> int:
    """Return what the next message will take: a handshake is over."""
    return ledger.bytes_of() - ledger.bytes_of("handshake")


def _room(axes: Axes, ledgers: dict[str, Ledger]) -> None:
    left, bottom, width, height = axes.get_position().bounds
    height += bottom - BOTTOM + 0.028
    axes.set_position((left - 0.015, BOTTOM, width + 0.03, height))
    lines = max(LEAST_ROWS, *(len(list(rows_of(ledger))) for ledger in ledgers.values()))
    heads = HEAD_POINTS / (height * 72 * axes.figure.get_figheight())  # type: ignore[union-attr]
    axes.set_axis_off()
    axes.set_xlim(0, len(MODES) * COLUMN - GAP)
    axes.set_ylim(lines - 0.5, -0.5 - lines * heads / (1 - heads))


def _head(axes: Axes, mode: str, ledger: Ledger, left: float, *, void: bool) -> None:
    """Write above a column what a delivery comes to, and what came before it."""
    colour = QUIET if void else MODES[mode].colour
    name = title(mode) + (" VOID" if void else "")
    total = f"of {_again(ledger):,} bytes {_message(ledger):,} are {_what(ledger)}"
    once = ledger.bytes_of("handshake")
    lines = (
        (56, name, {"size": 20, "weight": "bold"}),
        (33, total, {"size": 15.5}),
        (14, f"after {once:,} bytes, once" if once else "", {"size": 13, "color": QUIET}),
    )
    for height, text, look in lines:
        beside = 22 if text == name else 0
        axes.annotate(text, (left, -0.5), (beside, height), textcoords="offset points",
                      va="center", **look)  # fmt: skip
    axes.annotate("\u25a0", (left, -0.5), (0, 56), textcoords="offset points", va="center",
                  size=24, color=colour)  # fmt: skip


def _what(ledger: Ledger) -> str:
    count = sum(part.group == "text" for part in ledger.down)
    return f"{count} messages" if count > 1 else "the message"


def _row(axes: Axes, row: Row, left: int, line: int) -> None:
    strong = row.heading or row.name == "text"
    look: dict[str, Any] = {"va": "center_baseline", "size": 12 if strong else 10.5}
    look["weight"] = "bold" if strong else "normal"
    look["color"] = DARK_GREEN if row.name == "text" else INK
    if row.name:
        axes.text(left, line, row.name[:LONGEST_NAME], **look)
        axes.text(left + NAME_ROOM - 2, line, f"{row.size:,}", ha="right", **look)
    at = left + NAME_ROOM
    for part in row.parts:
        corner = (at, line - THICK / 2)
        axes.add_patch(Rectangle(corner, len(part.data), THICK, color=COLOURS[part.group], lw=0))
        at += len(part.data)
