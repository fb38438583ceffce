"""Short polling: answer at once, with or without news."""

from aiohttp import web

from demo.answers import ANSWERS
from demo.feed import Gap
from demo.queries import reader
from demo.tally import Tally

PATH = "/short-poll"


async def answer(request: web.Request, tally: Tally) -> web.StreamResponse:
    """Answer 200 with what is after the reader's cursor, 204 when that is nothing, 410 a gap."""
    answers = request.app[ANSWERS]
    feed = answers.feed
    query = reader(request)
    cursor = feed.head if query.cursor is None else query.cursor
    epoch = feed.epoch if query.epoch is None else query.epoch
    try:
        feed.check(cursor, epoch)
    except Gap as gap:
        return answers.gap(gap, tally)
    return answers.news(cursor, tally)
