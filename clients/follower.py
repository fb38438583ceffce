"""What one reader of a crowd knows: where it is, what it asks next, whether all came in order.

No network here; what is read is counted in a census, and not timed.
"""

from urllib.parse import quote, urlsplit

import msgspec
from aiohttp.http import SERVER_SOFTWARE

from clients.client import Place
from clients.joining import Tally
from clients.stream import read_notice
from demo.message import GapNotice, Hello, Message, News

_read_news = msgspec.json.Decoder(News).decode
_read_gap = msgspec.json.Decoder(GapNotice).decode
_read_message = msgspec.json.Decoder(Message).decode


class Census(msgspec.Struct):
    """What the crowd has seen; received: how many readers each message has reached, repeats too."""

    tally: Tally
    received: dict[int, int] = {}
    duplicates: int = 0
    out_of_order: int = 0

    @property
    def deliveries(self) -> int:
        """Messages that reached readers, repeats too."""
        return sum(self.received.values())

    def among(self, ids: range) -> int:
        """Deliveries of the messages `ids`."""
        return sum(count for message, count in self.received.items() if message in ids)


class Follower:
    """One reader: where it is, what it asks next, and whether all comes once and in order."""

    def __init__(self, census: Census, place: Place, last: int, url: str) -> None:
        self.place = place
        self._census = census
        self._last = last
        self._address = urlsplit(url)
        self._newest = self._highest = place.cursor
        self._missing: set[int] = set()

    def ask(self, path: str, *lines: str, **query: str) -> bytes:
        """Make a request with the lines that a measured client sends, so that it costs as much."""
        more = "".join(f"&{name}={value}" for name, value in query.items())
        place = f"after={self.place.cursor}&epoch={quote(self.place.epoch)}"
        head = (
            f"GET {self._address.path}{path}?{place}{more} HTTP/1.1",
            f"Host: {self._address.netloc}",
            *lines,
            "Accept: */*",
            "Accept-Encoding: gzip, deflate",
            f"User-Agent: {SERVER_SOFTWARE}",
        )
        return "\r\n".join((*head, "", "")).encode()

    def take(self, status: int, body: bytes) -> bool:
        """Take a poll's answer; say whether there is more to come."""
        if status == 200:
            news = _read_news(body)
            self.place = Place(news.epoch, news.cursor)
            for message in news.messages:
                self._note(message.id)
        elif status == 410:
            self._move(_read_gap(body))
        return self._highest < self._last

    def hear(self, body: bytes) -> bool:
        """Take a frame's text; say whether there is more to come."""
        try:
            message = _read_message(body)
        except msgspec.ValidationError:
            self._move(read_notice(body))
        else:
            self.place = Place(self.place.epoch, message.id)
            self._note(message.id)
        return self._highest < self._last

    def _move(self, notice: GapNotice | Hello) -> None:
        cursor = notice.oldest - 1 if isinstance(notice, GapNotice) else notice.cursor
        self.place = Place(notice.epoch, cursor)

    def _note(self, message: int) -> None:
        census = self._census
        census.received[message] = census.received.get(message, 0) + 1
        census.out_of_order += message < self._newest
        self._newest = message
        if message > self._highest:
            self._missing.update(range(self._highest + 1, message))
            self._highest = message
        elif message in self._missing:
            self._missing.remove(message)
        else:
            census.duplicates += 1
