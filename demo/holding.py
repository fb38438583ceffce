"""Bound how many long polls one address has under way."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from demo.bounds import Bounds
from demo.queries import problem
from demo.refusals import Refusals
from demo.sites import PerSite
from demo.tally import Tally

Answer = Callable[[web.Request, Tally], Awaitable[web.StreamResponse]]


def bounded(answer: Answer, bounds: Bounds, refusals: Refusals) -> Answer:
    """Return `answer`, for so many of each address at a time; refuse others with 429."""
    held = PerSite()

    # Not a coroutine: where nothing is bounded, a held poll keeps no frame for it.
    def hold(request: web.Request, tally: Tally) -> Awaitable[web.StreamResponse]:
        site = bounds.site(request.remote)
        if site is None:
            return answer(request, tally)
        return hold_one_more(site, request, tally)

    async def hold_one_more(site: str, request: web.Request, tally: Tally) -> web.StreamResponse:
        if held.has(site, bounds.held_of_address):
            refusals.held_of_address += 1
            line = f"your address has all the {bounds.held_of_address} long polls"
            line += " of --max-held-per-address: try again later"
            raise problem(web.HTTPTooManyRequests, line)
        held.more(site)
        try:
            return await answer(request, tally)
        finally:
            held.less(site)

    return hold
