"""A disk with a cache: what a power failure leaves of the files that were written. No I/O here.

What was synced is there. What was not may be, in any part: each sector is as it was at some moment
since, and so are a file's size and each name in a folder. Disks and file systems promise little
more (T. Pillai and others, "All File Systems Are Not Created Equal", OSDI 2014).
"""

from pathlib import PurePath
from random import Random

from tests.power.calls import Event, Make, Sync, Truncate, Unlink, Write

SECTOR = 512


class File:
    """What is on disk of it for certain, and what has been done to it since."""

    def __init__(self) -> None:
        self._synced = bytearray()
        self.since: list[Write | Truncate] = []

    def sync(self) -> None:
        """Have on disk all that was done."""
        for op in self.since:
            size = _size(op, len(self._synced))
            del self._synced[size:]
            self._synced.extend(bytes(size - len(self._synced)))
            if isinstance(op, Write):
                self._synced[op.offset : op.offset + len(op.data)] = op.data
        self.since = []

    def as_seen(self) -> bytes:
        """Return what programs read in it."""
        return self._at([len(self.since)] * self._sectors(), len(self.since))

    def after_failure(self, random: Random) -> bytes:
        """Return what is found: of what was not synced nothing, everything, or any of it."""
        most = len(self.since)
        if not most:
            return bytes(self._synced)
        first, last = random.choice(((0, 0), (most, most), (0, most)))
        moments = [random.randint(first, last) for _ in range(self._sectors())]
        return self._at(moments, random.randint(first, last))

    def _sectors(self) -> int:
        """Return how many it has had at most since then."""
        ends = [op.offset + len(op.data) for op in self.since if isinstance(op, Write)]
        return -(-max(len(self._synced), *ends, 0) // SECTOR)

    def _at(self, sectors: list[int], size_at: int) -> bytes:
        """Put it together: each sector, and the size, as it was after so many operations."""
        size = len(self._synced)
        content = self._synced.ljust(len(sectors) * SECTOR, b"\0")
        for moment, op in enumerate(self.since, 1):
            start, end = _reach(op, len(content))
            for sector in range(start // SECTOR, -(-end // SECTOR)):
                first, after = max(start, sector * SECTOR), min(end, (sector + 1) * SECTOR)
                if moment <= sectors[sector] and first < after:
                    content[first:after] = _piece(op, first, after)
            if moment <= size_at:
                size = _size(op, size)
        return bytes(content[:size]).ljust(size, b"\0")


class Platter:
    """The files of some programs, as they see them and as a power failure would leave them.

    A disk that `lies` takes what it is to sync for synced, and leaves it in its cache.
    """

    def __init__(self, *, lies: bool = False) -> None:
        self._lies = lies
        self._files: dict[str, File] = {}
        self._named: dict[str, File] = {}  # for certain
        self._since: list[Make | Unlink] = []
        self._made: dict[int, File] = {}  # by the place in `_since`

    def take(self, event: Event) -> None:
        """Do what a program has done."""
        match event:
            case Make(path) if path not in self._files:
                self._made[len(self._since)] = self._files[path] = File()
                self._since.append(event)
            case Unlink(path):
                self._files.pop(path, None)
                self._since.append(event)
            case Write(path) | Truncate(path) if path in self._files:
                self._files[path].since.append(event)
            case Sync(path) if not self._lies:
                self._sync(path)

    def _sync(self, path: str) -> None:
        if path in self._files:
            self._files[path].sync()
        elif any(str(PurePath(change.path).parent) == path for change in self._since):
            self._named = dict(self._files)
            self._since, self._made = [], {}

    def files(self) -> dict[str, bytes]:
        """Return the files that programs see, by path."""
        return {path: file.as_seen() for path, file in self._files.items()}

    def after_failure(self, random: Random) -> dict[str, bytes]:
        """Return the files that are found, by path."""
        named = dict(self._named)
        for place, change in enumerate(self._since):
            if random.random() < 0.5:
                continue
            if isinstance(change, Make):
                named[change.path] = self._made[place]
            else:
                named.pop(change.path, None)
        return {path: file.after_failure(random) for path, file in named.items()}


def _reach(op: Write | Truncate, most: int) -> tuple[int, int]:
    if isinstance(op, Write):
        return op.offset, op.offset + len(op.data)
    return op.size, most


def _piece(op: Write | Truncate, first: int, after: int) -> bytes:
    if isinstance(op, Write):
        return op.data[first - op.offset : after - op.offset]
    return bytes(after - first)


def _size(op: Write | Truncate, size: int) -> int:
    return max(size, op.offset + len(op.data)) if isinstance(op, Write) else op.size
