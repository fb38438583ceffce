"""Lay the parts of an exchange out in rows of cells, one cell a byte. Nothing is drawn here."""

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from typing import NamedTuple

from analysis.ledger import Ledger, Part

HEADS = {"request head", "response head", "handshake"}
CELLS = 60  # bytes in a row
MOST_ROWS = 10  # that a message is drawn in; the rest of a long one is only counted


class Row(NamedTuple):
    """A row of cells, and what is written before it."""

    name: str
    size: int
    parts: tuple[Part, ...]
    heading: bool = False


def rows_of(ledger: Ledger) -> Iterator[Row]:
    """Yield a row for each line of a head, and rows of cells for what follows it."""
    for way, parts in (("up", ledger.up), ("down", ledger.down)):
        yield Row(way, sum(len(part.data) for part in parts), (), heading=True)
        for (is_line, _), some in groupby(parts, key=_kind):
            for block in ([part] for part in some) if is_line else [list(some)]:
                yield from _block(block)


def _kind(part: Part) -> tuple[bool, bool]:
    """Tell a head's line from what follows the head, and a greeting from a message."""
    return part.data.endswith(b"\r\n") and part.group in HEADS, part.group == "handshake"


def _block(parts: Sequence[Part]) -> Iterator[Row]:
    """Yield the rows of parts that follow each other, each name beside one of them."""
    counts: dict[str, int] = {}
    for part in parts:
        name = part.name.partition(",")[0] if part.group != "message" else "sender, stamps"
        counts[name] = counts.get(name, 0) + len(part.data)
    cells = list(_wrap(parts))
    for named, row in zip_longest(counts.items(), cells[:MOST_ROWS]):
        name, size = named or ("", 0)
        yield Row(name, size, row or ())
    if hidden := _length(cells[MOST_ROWS:]):
        yield Row("not drawn", hidden, ())


def _length(rows: Sequence[tuple[Part, ...]]) -> int:
    return sum(len(part.data) for row in rows for part in row)


def _wrap(parts: Sequence[Part]) -> Iterator[tuple[Part, ...]]:
    """Break parts into rows of at most so many bytes."""
    row: list[Part] = []
    for part in parts:
        data = part.data
        while data:
            free = CELLS - sum(len(each.data) for each in row)
            row.append(Part(part.name, part.group, data[:free]))
            data = data[free:]
            if sum(len(each.data) for each in row) == CELLS:
                yield tuple(row)
                row = []
    if row:
        yield tuple(row)
