"""What an app does differently when its feed is kept, or shared by others. It knows no Redis."""

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

from aiohttp import web

from demo.counting import Handler
from demo.feed import Away, Entry, Feed
from demo.holding import Answer
from demo.message import Draft
from demo.queries import NO_STORE, problem, reader
from demo.stats import STATS, begin, count
from demo.tally import Tally

CLASSROOM_PATHS = ("/class", "/class/{rest:.*}", "/join", "/handout")
NO_CLASSROOM = (
    "This server may share its feed with others (--feed), so it has no classroom, whose settings, "
    "runs and lines are the state of one server: start `python -m demo` without --feed redis:// for"
    " that. Served here: /messages, /short-poll, /long-poll, /ws, /stats.\n"
)


class Kept(Protocol):
    """A feed whose log is elsewhere. Asking raises Away when that cannot be reached."""

    feed: Feed
    tail: asyncio.Task[None] | None  # ends only by a fault

    async def start(self) -> None:
        """Catch up, and follow from now on."""

    async def stop(self) -> None:
        """Follow no more."""

    async def append(self, draft: Draft) -> Entry:
        """Append a message; return it once it is in the log."""
        ...


class Durable(Kept, Protocol):
    """A feed that is kept for this server alone."""

    def publish(self, draft: Draft) -> None:
        """Append a message of which nobody waits to hear."""

    async def restart(self) -> None:
        """Let the log begin anew."""


class Shared(Kept, Protocol):
    """A feed that is kept as others have it."""

    async def meet(self, cursor: int | None, epoch: str | None) -> None:
        """Catch up with a reader that comes from another server."""


KEPT: web.AppKey[Kept] = web.AppKey("KEPT")
SHARED: web.AppKey[Shared] = web.AppKey("SHARED")
PARTS: web.AppKey[list[asyncio.Task[None]]] = web.AppKey("PARTS")  # that run by themselves


async def follow(app: web.Application) -> AsyncIterator[None]:
    """Follow the log while the app runs; it serves nobody before it has caught up."""
    kept = app[KEPT]
    await kept.start()
    app[PARTS].extend(filter(None, [kept.tail]))
    yield
    await kept.stop()


def hopping(answer: Answer, tally: Tally) -> Handler:
    """Answer readers of one mode, wherever they have read before."""

    async def handler(request: web.Request) -> web.StreamResponse:
        count(request, tally)
        query = reader(request)
        try:
            await request.app[SHARED].meet(query.cursor, query.epoch)
        except Away as away:
            raise problem(web.HTTPServiceUnavailable, str(away)) from None
        return await answer(request, tally)

    return handler


async def no_classroom(request: web.Request) -> web.Response:
    """Answer 404 and say where there is one."""
    begin(request, request.app[STATS].other)
    return web.Response(status=404, text=NO_CLASSROOM, headers=NO_STORE)
