"""Count the requests that no handler counts, such as those for unknown addresses."""

from collections.abc import Awaitable, Callable, Container

from aiohttp import web
from aiohttp.typedefs import Middleware

from demo.stats import STATS, begin, counted

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def count_rest(but: Container[str]) -> Middleware:
    """Count all requests at their end, `but` for paths whose handlers count for themselves."""

    @web.middleware
    def count(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        known = request.match_info.http_exception is None
        if known and request.rel_url.raw_path in but:
            return handler(request)
        return counted_at_the_end(request, handler)

    return count


async def counted_at_the_end(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer, and count the request if the handler has not."""
    try:
        return await handler(request)
    finally:
        if not counted(request):
            begin(request, request.app[STATS].other)
