"""What one reader of a crowd knows: where it is, what it asks next, whether all came in order.

No network here; what is read is counted in a census, and not timed.
"""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp.http import SERVER_SOFTWARE

from clients.decoding import read_gap, read_message, read_news, read_notice
from clients.joining import Tally
from clients.place import Place, told_by


class Census(msgspec.Struct, tag="census"):
    """What a crowd has seen.

    received: how many readers each message has reached, repeats too
    trouble: the error that nobody expected and that ended it, in words
    """

    tally: Tally
    received: dict[int, int] = {}
    duplicates: int = 0
    out_of_order: int = 0
    trouble: str = ""

    @property
    def deliveries(self) -> int:
        """Messages that reached readers, repeats too."""
        return sum(self.received.values())

    def among(self, ids: range) -> int:
        """Deliveries of the messages `ids`."""
        return sum(count for message, count in self.received.items() if message in ids)

    def add(self, other: "Census") -> None:
        """Add what another crowd has seen."""
        self.tally.add(other.tally)
        for message, count in other.received.items():
            self.received[message] = self.received.get(message, 0) + count
        self.duplicates += other.duplicates
        self.out_of_order += other.out_of_order


class Follower:
    """One reader: where it is, what it asks next, and whether all comes once and in order."""

    def __init__(self, census: Census, place: Place, last: int, url: str) -> None:
        self._cursor, self._epoch, self._quoted = place.cursor, place.epoch, quote(place.epoch)
        self._census = census
        self._last = last
        self._address = urlsplit(url)
        self._newest = self._highest = place.cursor
        self._missing: set[int] = set()

    def asking(self, path: str, *lines: str, **query: str) -> Callable[[], bytes]:
        """Return what makes the next request, each time it is called.

        With the lines that a measured client sends, so that it costs as much.
        """
        more = "".join(f"&{name}={value}" for name, value in query.items())
        first = f"GET {self._address.path}{path}?after="
        rest = (
            f"{more} HTTP/1.1",
            f"Host: {self._address.netloc}",
            *lines,
            "Accept: */*",
            "Accept-Encoding: gzip, deflate",
            f"User-Agent: {SERVER_SOFTWARE}",
        )
        end = "\r\n".join((*rest, "", ""))

        def ask() -> bytes:
            return f"{first}{self._cursor}&epoch={self._quoted}{end}".encode()

        return ask

    def take(self, status: int, body: bytes) -> bool:
        """Take a poll's answer; say whether there is more to come."""
        if status == 200:
            news = read_news(body)
            self._move(Place(news.epoch, news.cursor))
            for message in news.messages:
                self._note(message.id)
        elif status == 410:
            self._move(told_by(read_gap(body)))
        return self._highest < self._last

    def hear(self, body: bytes) -> bool:
        """Take a frame's text; say whether there is more to come."""
        try:
            message = read_message(body)
        except msgspec.ValidationError:
            self._move(told_by(read_notice(body)))
        else:
            self._cursor = message.id
            self._note(message.id)
        return self._highest < self._last

    def _move(self, place: Place) -> None:
        self._cursor = place.cursor
        if place.epoch != self._epoch:
            self._epoch, self._quoted = place.epoch, quote(place.epoch)

    def _note(self, message: int) -> None:
        census = self._census
        census.received[message] = census.received.get(message, 0) + 1
        if message - 1 == self._newest == self._highest:  # as it nearly always is
            self._newest = self._highest = message
            return
        census.out_of_order += message < self._newest
        self._newest = message
        if message > self._highest:
            self._missing.update(range(self._highest + 1, message))
            self._highest = message
        elif message in self._missing:
            self._missing.remove(message)
        else:
            census.duplicates += 1
