"""Which web pages may join: browsers say where a page is from, and strangers get a 403.

Without this, any page that a student has open could read and write the chat on localhost. A client
that is not a browser sends no Origin and is let in.
"""

import ipaddress
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from demo.queries import NO_STORE, problem
from demo.stats import STATS, begin

ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.:\[\]_-]+", re.ASCII)  # RFC 6454, section 6
MAX_TOLD = 100  # origins that get a line of output; who invents more has none

ADMITTED = web.RequestKey("ADMITTED", str)  # the origin of a page that may read the answer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Origins(msgspec.Struct, frozen=True):
    """Who is let in: on loopback, any page of this machine and any file opened from disk.

    Beyond loopback only the server's own pages are, since there `null` may be anybody's.
    """

    loopback: bool
    allowed: frozenset[str] = frozenset()

    def admit(self, origin: str, host: str) -> bool:
        """Say whether a page of `origin` may talk to this server, asked for as `host`."""
        if origin in self.allowed or (self.loopback and origin == "null"):
            return True
        if ORIGIN.fullmatch(origin) is None:
            return False
        try:
            page = urlsplit(origin)
        except ValueError:  # no origin at all, such as "http://["
            return False
        if self.loopback:
            return is_loopback(page.hostname)
        return page.netloc == host


def is_loopback(host: str | None) -> bool:
    """Say whether a host name or address means this machine alone."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def gate(
    origins: Origins, say: Callable[[str], None]
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Make the middleware that refuses foreign pages, and lets admitted ones read the answers."""
    told: set[str] = set()  # a page may ask again and again

    # Not a coroutine: most requests come from no page, and pass without a frame more in their way,
    # which a WebSocket or a held poll would keep for as long as it lasts.
    @web.middleware
    def pass_or_check(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        if "Origin" not in request.headers:
            return handler(request)
        return check(request, handler, request.headers["Origin"])

    async def check(request: web.Request, handler: Handler, origin: str) -> web.StreamResponse:
        if origins.admit(origin, request.host):
            request[ADMITTED] = origin
        elif "Upgrade" in request.headers or request.method != "GET":
            begin(request, request.app[STATS].other)
            if origin not in told and len(told) < MAX_TOLD:
                told.add(origin)
                say(f"refused a page of {origin!r}: --allow-origin {origin} would let it in")
            line = f"pages of {origin} may not join: start the server with --allow-origin {origin}"
            raise problem(web.HTTPForbidden, line)
        try:
            response = await handler(request)
        except web.HTTPException as refusal:  # a page should read what was wrong, too
            let_read(request, refusal)
            raise
        if not response.prepared:
            let_read(request, response)
        return response

    return pass_or_check


def let_read(request: web.Request, response: web.StreamResponse) -> None:
    """Let the page that asks read an answer that is about to be sent, if it has been admitted.

    The gate does so with what handlers return; who sends an answer itself calls this before. A
    request that says no origin costs the gate one look at its headers, and no more.
    """
    origin = request.get(ADMITTED)
    if origin is not None:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Vary"] = "Origin"


async def preflight(request: web.Request) -> web.Response:
    """Tell an admitted page of another origin that it may post JSON."""
    return web.Response(
        status=204,
        headers={
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": "Content-Type",
            **NO_STORE,
        },
    )
