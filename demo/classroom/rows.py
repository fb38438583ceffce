"""Rows of whole numbers, so many and no more: the newest are kept, the oldest make room."""

from array import array
from collections import deque
from collections.abc import Iterator, Sequence

CHUNK = 4096
MAX_REQUESTS = 500_000  # 28 MB; 300 readers that poll every second fill it in half an hour
MAX_DELIVERIES = 1_000_000  # 48 MB; 300 readers of 20 messages a second fill it in three minutes
MAX_SERVED = 500_000  # 32 MB


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

    def __iter__(self) -> Iterator[tuple[int, ...]]:
        for chunk in self._chunks:
            columns = [iter(chunk)] * self._width
            yield from zip(*columns, strict=True)
