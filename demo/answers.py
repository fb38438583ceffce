"""The answers that both kinds of polling give: news, nothing new, a gap.

Readers at the same cursor get the same bytes: an answer is made once, head and all, for all of
them. The head has a date, so it is made again when the next second begins.
"""

import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from aiohttp import web

from demo.feed import Entry, Feed, Gap
from demo.message import GapNotice, encode
from demo.queries import NO_STORE
from demo.ready import Ready, wire
from demo.tally import Tally

MAX_ANSWERS = 128  # kept at once: readers at more cursors than this are few, or up to no good
MAX_ANSWER_BYTES = 1024 * 1024  # of messages: a reader that does not read costs no more than this
MAX_KEPT_BYTES = 64 * 1024  # a reader so far behind that it gets more than this is alone there
JSON = {**NO_STORE, "Content-Type": "application/json"}


class Made(NamedTuple):
    """An answer with news: all its bytes, its body alone, and the cursor that it leads to."""

    written: bytes
    body: bytes
    reached: int


class Answers:
    """Answer polls from `feed`, keeping each answer until the next publish, or second."""

    def __init__(self, feed: Feed, wall: Callable[[], float] = time.time) -> None:
        self.feed = feed
        self._wall = wall
        self._kept: dict[int, Made] = {}  # by cursor
        self._nothing_new = b""
        self._made_at = (feed.epoch, feed.head, 0)

    def news(self, cursor: int, tally: Tally) -> Ready:
        """Answer 200 with what is after `cursor`, which must be readable, or 204.

        Who is far behind gets the first part of it, and a cursor to ask on from.
        """
        feed = self.feed
        made_at = (feed.epoch, feed.head, int(self._wall()))
        if self._made_at != made_at:
            self._made_at = made_at
            self._kept.clear()
            self._nothing_new = wire(204, NO_STORE)
        if cursor == feed.head:
            tally.empty += 1
            return Ready(self._nothing_new, 204, NO_STORE, cursor=cursor)
        made = self._kept.get(cursor) or self._make(cursor)
        tally.deliveries += made.reached - cursor
        return Ready(made.written, 200, JSON, made.body, made.reached)

    def gap(self, gap: Gap, tally: Tally) -> web.Response:
        """Answer 410: say what is gone and where to read on."""
        tally.gaps += 1
        return web.Response(status=410, body=encode(notice(self.feed, gap)), headers=JSON)

    def _make(self, cursor: int) -> Made:
        body, reached = self._serialise(cursor)
        made = Made(wire(200, JSON, body), body, reached)
        if len(self._kept) >= MAX_ANSWERS:
            self._kept.clear()
        if len(body) <= MAX_KEPT_BYTES:
            self._kept[cursor] = made
        return made

    def _serialise(self, cursor: int) -> tuple[bytes, int]:
        entries = _fitting(self.feed.after(cursor))
        reached = entries[-1].message.id
        body = b'{"epoch":"%b","cursor":%d,"messages":[%b]}' % (
            self.feed.epoch.encode(),
            reached,
            b",".join([entry.json for entry in entries]),
        )
        return body, reached


ANSWERS = web.AppKey("ANSWERS", Answers)


def _fitting(entries: Iterable[Entry]) -> list[Entry]:
    """Return as many of the first entries as an answer may have, and at least one."""
    size, fitting = 0, list[Entry]()
    for entry in entries:
        size += len(entry.json)
        if size > MAX_ANSWER_BYTES and fitting:
            break
        fitting.append(entry)
    return fitting


def notice(feed: Feed, gap: Gap) -> GapNotice:
    """Say what a reader behind a gap can still read."""
    return GapNotice(str(gap), feed.epoch, feed.oldest, feed.head)
