"""Read the body of a POST, once, as the type it should have; anything else becomes a 4xx."""

import asyncio
from typing import TypeVar

import msgspec
from aiohttp import web

from demo.message import encode
from demo.queries import NO_STORE, problem

BODY_TIMEOUT_S = 10.0
MAX_BODY_BYTES = 64 * 1024

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
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.clone(client_max_size=MAX_BODY_BYTES).read()
    except TimeoutError:
        line = f"the body took longer than {BODY_TIMEOUT_S:g} s to arrive: send it again"
        raise problem(web.HTTPRequestTimeout, line) from None
    except web.HTTPRequestEntityTooLarge:
        line = f"the body is over {MAX_BODY_BYTES} bytes: send less at a time"
        raise problem(web.HTTPRequestEntityTooLarge, line) from None
