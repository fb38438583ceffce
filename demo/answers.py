"""The answers that both kinds of polling give: news, nothing new, a gap.

Readers at the same cursor get the same bytes: an answer is serialised once, for all of them.
"""

from aiohttp import web

from demo.feed import Entry, Feed, Gap
from demo.message import GapNotice, encode
from demo.queries import NO_STORE
from demo.stats import Tally

MAX_BODIES = 128  # kept at once: readers at more cursors than this are few, or up to no good
MAX_ANSWER_BYTES = 1024 * 1024  # of messages: a reader that does not read costs no more than this
MAX_KEPT_BYTES = 64 * 1024  # a reader so far behind that it gets more than this is alone there


class Answers:
    """Answer polls from `feed`, keeping each serialised body until the next publish."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self._bodies: dict[int, tuple[bytes, int]] = {}  # and the cursor to which each leads
        self._made_of = (feed.epoch, feed.head)

    def news(self, cursor: int, tally: Tally) -> web.Response:
        """Answer 200 with what is after `cursor`, which must be readable, or 204.

        Who is far behind gets the first part of it, and a cursor to ask on from.
        """
        if cursor == self.feed.head:
            tally.empty += 1
            return web.Response(status=204, headers=NO_STORE)
        body, reached = self._body(cursor)
        tally.deliveries += reached - cursor
        return web.Response(body=body, content_type="application/json", headers=NO_STORE)

    def gap(self, gap: Gap, tally: Tally) -> web.Response:
        """Answer 410: say what is gone and where to read on."""
        tally.gaps += 1
        body = encode(notice(self.feed, gap))
        return web.Response(
            status=410, body=body, content_type="application/json", headers=NO_STORE
        )

    def _body(self, cursor: int) -> tuple[bytes, int]:
        if self._made_of != (self.feed.epoch, self.feed.head):
            self._made_of = (self.feed.epoch, self.feed.head)
            self._bodies.clear()
        if len(self._bodies) >= MAX_BODIES:
            self._bodies.clear()
        made = self._bodies.get(cursor)
        if made is None:
            made = self._serialise(cursor)
            if len(made[0]) <= MAX_KEPT_BYTES:
                self._bodies[cursor] = made
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


def _fitting(entries: list[Entry]) -> list[Entry]:
    """Return as many of the first entries as an answer may have, and at least one."""
    size = 0
    for number, entry in enumerate(entries):
        size += len(entry.json)
        if size > MAX_ANSWER_BYTES and number:
            return entries[:number]
    return entries


def notice(feed: Feed, gap: Gap) -> GapNotice:
    """Say what a reader behind a gap can still read."""
    return GapNotice(str(gap), feed.epoch, feed.oldest, feed.head)
