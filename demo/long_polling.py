"""Long polling: hold the request until there is news or the hold ends, then answer."""

from aiohttp import web

from demo.answers import ANSWERS
from demo.feed import Gap
from demo.queries import hold_s, reader
from demo.tally import Tally

PATH = "/long-poll"


async def answer(request: web.Request, tally: Tally) -> web.StreamResponse:
    """Answer 200 with what is after the reader's cursor, 204 when the hold ends, 410 a gap."""
    answers = request.app[ANSWERS]
    feed = answers.feed
    query = reader(request)
    hold = hold_s(query.hold)
    cursor = feed.head if query.cursor is None else query.cursor
    epoch = feed.epoch if query.epoch is None else query.epoch
    try:
        feed.check(cursor, epoch)
        await feed.news(cursor, hold)
        feed.check(cursor, epoch)
    except Gap as gap:
        return answers.gap(gap, tally)
    return answers.news(cursor, tally)
