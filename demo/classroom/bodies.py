"""Read the body of a POST, once, as the type it should have; anything else becomes a 4xx."""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web

from demo.message import encode
from demo.publishing import PUBLISHING
from demo.queries import NO_STORE, problem
from demo.stats import STATS

T = TypeVar("T")


async def read_as(request: web.Request, kind: type[T], example: str) -> T:
    """Return the body as `kind`; raise 400, 408 or 413 with what is wrong, and an `example`."""
    body = await _read(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except (ValueError, RecursionError) as error:  # all that msgspec says of bad JSON
        raise problem(web.HTTPBadRequest, f"{error}: send {example}") from None


def answer(figures: object, status: int = 200) -> web.Response:
    """Answer with JSON that nobody keeps."""
    return web.Response(
        status=status, body=encode(figures), content_type="application/json", headers=NO_STORE
    )


async def _read(request: web.Request) -> bytes:
    limits, refusals = request.app[PUBLISHING].limits, request.app[STATS].refusals
    try:
        async with asyncio.timeout(limits.body_s):
            return await request.clone(client_max_size=limits.report_bytes).read()
    except TimeoutError:
        refusals.slow_requests += 1
        line = f"the body took longer than {limits.body_s:g} s to arrive: send it again"
        raise problem(web.HTTPRequestTimeout, line) from None
    except web.HTTPRequestEntityTooLarge:
        refusals.body += 1
        line = f"the body is over {limits.report_bytes} bytes: send less at a time"
        raise problem(web.HTTPRequestEntityTooLarge, line) from None
