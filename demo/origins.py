"""Which web pages may join: browsers say where a page is from, and strangers get a 403.

Without this, any page that a student has open could read and write the chat on localhost. A client
that is not a browser sends no Origin and is let in.

A file opened from disk is of the origin `null`, and a student's is to work, so on loopback `null`
is let in. But any page can make a frame of that origin (`<iframe sandbox="allow-scripts">`), and by
it publish and open WebSockets here. `--no-null-origin` shuts both out.

A page can also have its own name lead to this machine (DNS rebinding), and then its GETs are of one
origin to the browser, which says none, and its POSTs are of the origin that it asks. So the server
answers to no name that could be such a page's: see `serves`.
"""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from demo.arguments import ORIGIN
from demo.names import is_address, is_loopback, name_of
from demo.queries import NO_STORE, problem
from demo.stats import STATS, begin

MOST_SHOWN = 100  # characters of a name that was made up
MAX_TOLD = 100  # origins that get a line of output; who invents more has none

ADMITTED = web.RequestKey("ADMITTED", str)  # the origin of a page that may read the answer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Origins(msgspec.Struct, frozen=True):
    """Who is let in: the server's own pages, and on loopback any page and file of this machine.

    Those two are let in only where the server is asked for by a name of loopback: under another, as
    behind a proxy, `null` and `localhost` may be of anybody's machine, as they are beyond loopback.

    names: by which the server is known, beside its addresses
    """

    loopback: bool
    allowed: frozenset[str] = frozenset()
    null: bool = True
    names: frozenset[str] = frozenset()

    def serves(self, host: str) -> bool:
        """Say whether a request for `host` can be meant for this server.

        A name with a dot must be one of this machine's, or of an allowed origin. An address cannot
        be made to lead elsewhere, and names without a dot are nobody's to give.
        """
        name = name_of(host)
        if "." not in name or is_address(name) or is_loopback(name):
            return True
        return name in self.names or name in self._allowed_names

    @property
    def _allowed_names(self) -> set[str]:
        return {name_of(urlsplit(origin).netloc) for origin in self.allowed}

    def admit(self, origin: str, host: str) -> bool:
        """Say whether a page of `origin` may talk to this server, asked for as `host`."""
        if origin in self.allowed:
            return True
        at_home = self.loopback and is_loopback(name_of(host))
        if origin == "null":
            return at_home and self.null
        if ORIGIN.fullmatch(origin) is None:
            return False
        try:
            page = urlsplit(origin)
        except ValueError:  # no origin at all, such as "http://["
            return False
        return page.netloc == host or (at_home and is_loopback(page.hostname))


def gate(
    origins: Origins, say: Callable[[str], None]
) -> Callable[..., Awaitable[web.StreamResponse]]:
    """Make the middleware that refuses foreign pages, and lets admitted ones read the answers."""
    told = _Told(say)
    learn = _learning(origins, told)
    ours: set[str] = set()  # names that requests have been for, and rightly

    # Not a coroutine: most requests come from no page, and pass without a frame more in their way,
    # which a WebSocket or a held poll would keep for as long as it lasts.
    @web.middleware
    def pass_or_check(request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]:
        host = request.headers.get("Host")
        if host is not None and host not in ours:
            learn(request, host, ours)
        if "Origin" not in request.headers:
            return handler(request)
        return check(request, handler, request.headers["Origin"])

    async def check(request: web.Request, handler: Handler, origin: str) -> web.StreamResponse:
        if origins.admit(origin, request.headers.get("Host", "")):
            request[ADMITTED] = origin
        elif "Upgrade" in request.headers or request.method != "GET":
            begin(request, request.app[STATS].other)
            request.app[STATS].refusals.origin += 1
            page = origin[:MOST_SHOWN]
            way_in = f"--allow-origin {page}"
            told.tell(page, f"refused a page of {page!r}: {way_in} would let it in")
            line = f"pages of {page} may not join: start the server with {way_in}"
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


class _Told:
    """Say a line of each who is refused, once: one may ask again and again."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._who: set[str] = set()

    def tell(self, who: str, line: str) -> None:
        if who not in self._who and len(self._who) < MAX_TOLD:
            self._who.add(who)
            self._say(line)


def is_foreign(request: web.Request) -> bool:
    """Say whether a page that is not admitted makes a request, as far as its browser says so.

    Of a page's GET that it cannot read the answer of, a browser tells no Origin; where it came from
    then stands in Sec-Fetch-Site, which is sent to loopback and over TLS alone.
    """
    if "Origin" in request.headers:
        return ADMITTED not in request
    return request.headers.get("Sec-Fetch-Site") == "cross-site"


def _learning(origins: Origins, told: _Told) -> Callable[[web.Request, str, set[str]], None]:
    """Make what learns the names that requests are for, and refuses those that are not ours."""

    def learn(request: web.Request, host: str, ours: set[str]) -> None:
        if origins.serves(host):
            if len(ours) < MAX_TOLD:
                ours.add(host)
            return
        begin(request, request.app[STATS].other)
        request.app[STATS].refusals.host += 1
        name = host[:MOST_SHOWN]
        way_in = f"--allow-origin http://{name}"
        told.tell(name, f"refused a request for {name!r}: {way_in} would answer it")
        line = f"this server is not known as {name}: start it with {way_in}"
        raise problem(web.HTTPForbidden, line)

    return learn


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
