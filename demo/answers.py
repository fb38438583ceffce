"""The answers that both kinds of polling give: news, nothing new, a gap.

Readers at the same cursor get the same bytes: an answer is made once, head and all, for all of
them. The head has a date, so it is made again when the next second begins.
"""

import time
from collections.abc import Callable

from aiohttp import web

from demo.feed import Feed, Gap
from demo.message import GapNotice, encode
from demo.queries import NO_STORE
from demo.ready import Ready, wire
from demo.stats import Tally

MAX_ANSWERS = 128  # kept at once: readers at more cursors than this are few, or up to no good
MAX_KEPT_BYTES = 64 * 1024  # a reader so far behind that it gets more than this is alone there


JSON = {**NO_STORE, "Content-Type": "application/json"}


class Answers:
    """Answer polls from `feed`, keeping each answer until the next publish, or second."""

    def __init__(self, feed: Feed, wall: Callable[[], float] = time.time) -> None:
        self.feed = feed
        self._wall = wall
        self._kept: dict[int, tuple[bytes, bytes]] = {}  # by cursor: the answer, and its body
        self._nothing_new = b""
        self._made_at = (feed.epoch, feed.head, 0)

    def news(self, cursor: int, tally: Tally) -> Ready:
        """Answer 200 with what is after `cursor`, which must be readable, or 204."""
        feed = self.feed
        made_at = (feed.epoch, feed.head, int(self._wall()))
        if self._made_at != made_at:
            self._made_at = made_at
            self._kept.clear()
            self._nothing_new = wire(204, NO_STORE)
        if cursor == feed.head:
            tally.empty += 1
            return Ready(self._nothing_new, 204, NO_STORE)
        tally.deliveries += feed.head - cursor
        written, body = self._kept.get(cursor) or self._make(cursor)
        return Ready(written, 200, JSON, body)

    def gap(self, gap: Gap, tally: Tally) -> web.Response:
        """Answer 410: say what is gone and where to read on."""
        tally.gaps += 1
        return web.Response(status=410, body=encode(notice(self.feed, gap)), headers=JSON)

    def _make(self, cursor: int) -> tuple[bytes, bytes]:
        body = self._serialise(cursor)
        made = wire(200, JSON, body), body
        if len(self._kept) >= MAX_ANSWERS:
            self._kept.clear()
        if len(body) <= MAX_KEPT_BYTES:
            self._kept[cursor] = made
        return made

    def _serialise(self, cursor: int) -> bytes:
        messages = b",".join(entry.json for entry in self.feed.after(cursor))
        return b'{"epoch":"%b","cursor":%d,"messages":[%b]}' % (
            self.feed.epoch.encode(),
            self.feed.head,
            messages,
        )


ANSWERS = web.AppKey("ANSWERS", Answers)


def notice(feed: Feed, gap: Gap) -> GapNotice:
    """Say what a reader behind a gap can still read."""
    return GapNotice(str(gap), feed.epoch, feed.oldest, feed.head)
