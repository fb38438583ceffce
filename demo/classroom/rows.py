"""Rows of whole numbers, so many and no more: the newest are kept, the oldest make room."""

from array import array
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from typing import TypeAlias

CHUNK = 4096
MAX_REQUESTS = 500_000  # 28 MB; 300 readers that poll every second fill it in half an hour
MAX_DELIVERIES = 1_000_000  # 48 MB; 300 readers of 20 messages a second fill it in three minutes
MAX_SERVED = 500_000  # 32 MB

Places: TypeAlias = "defaultdict[tuple[int, int], array[int]]"  # by the first two columns


class Rows:
    """Rows of `width` 64-bit integers, at most about `limit` of them."""

    def __init__(self, width: int, limit: int) -> None:
        self.dropped = 0
        self._width = width
        self._most = max(1, limit // CHUNK)
        self._chunks: deque[array[int]] = deque([array("q")])

    def __len__(self) -> int:
        return sum(map(len, self._chunks)) // self._width

    def add(self, row: Sequence[int]) -> None:
        """Keep a row; the oldest few thousand go when there are too many."""
        if len(self._chunks[-1]) >= CHUNK * self._width:
            self._chunks.append(array("q"))
        self._chunks[-1].extend(row)
        if len(self._chunks) > self._most:
            self.dropped += len(self._chunks.popleft()) // self._width

    def copy(self) -> "Rows":
        """Return the rows as they are now, for another thread to read."""
        same = Rows(self._width, 0)
        same.dropped = self.dropped
        same._chunks = deque([*list(self._chunks)[:-1], self._chunks[-1][:]])
        return same

    def __getitem__(self, place: int) -> tuple[int, ...]:
        """Return the row at a place, counted from the oldest that is kept."""
        chunk, row = divmod(place, CHUNK)
        return tuple(self._chunks[chunk][row * self._width : (row + 1) * self._width])

    def places(self) -> Places:
        """Return where each reader's rows of each mode are: their first two columns say whose."""
        found = no_places()
        for place, (reader, mode, *_) in enumerate(self):
            found[reader, mode].append(place)
        return found

    def inside(self, column: int, first: int, end: int) -> Places:
        """Return where those rows are whose `column` is from `first` up to `end`."""
        found = no_places()
        for number, chunk in enumerate(self._chunks):
            for row in inside(chunk[column :: self._width], first, end):
                reader, mode = chunk[row * self._width : row * self._width + 2]
                found[reader, mode].append(number * CHUNK + row)
        return found

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for chunk in self._chunks:
            columns = [iter(chunk)] * self._width
            yield from zip(*columns, strict=True)


def inside(cells: "array[int]", first: int, end: int) -> Iterator[int]:
    """Yield where those of some cells are that are from `first` up to `end`."""
    for begin in range(0, len(cells), CHUNK):
        some = cells[begin : begin + CHUNK]
        if min(some) < end and max(some) >= first:  # most are of another time
            yield from (begin + at for at, cell in enumerate(some) if first <= cell < end)


def no_places() -> Places:
    """Return places to which none has been added."""
    return defaultdict(lambda: array("I"))
