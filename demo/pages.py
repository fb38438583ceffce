"""The classroom's page: its files as they lie there, and what a browser may do with them."""

import asyncio
import re
from pathlib import Path

from aiohttp import web

from demo.counting import Handler
from demo.queries import NO_STORE
from demo.stats import STATS, begin

PAGE = Path(__file__).parent / "page"
CONTENT_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
HOST = re.compile(r"[A-Za-z0-9.:\[\]-]{1,260}", re.ASCII)

SAFE = {
    **NO_STORE,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
}


def add_pages(app: web.Application) -> None:
    """Add a route for every file of the page but the first: /join, /page/app.js and so on."""
    for path in sorted(PAGE.rglob("*")):
        if path.suffix in CONTENT_TYPES:
            app.router.add_get(f"/page/{path.relative_to(PAGE).as_posix()}", file(path))
    for path in sorted(PAGE.glob("*.html")):
        if path.stem != "index":
            app.router.add_get(f"/{path.stem}", file(path))


def file(path: Path) -> Handler:
    """Make the handler that answers with a file."""
    # Not aiohttp's FileResponse: the kernel's sendfile would pass the byte counter by.
    content_type = CONTENT_TYPES[path.suffix]

    async def handler(request: web.Request) -> web.Response:
        begin(request, request.app[STATS].other)
        return web.Response(
            body=await asyncio.to_thread(path.read_bytes),
            content_type=content_type,
            charset="utf-8",
            headers={**SAFE, "Content-Security-Policy": policy(request.host)},
        )

    return handler


def policy(host: str) -> str:
    """Return what a page of ours, asked for at `host`, may load: its own files, and the feed.

    Nothing that stands in the page itself is run or applied, so a text that came in as markup would
    do nothing.
    """
    # Safari took 'self' to mean no WebSocket until version 15.4.
    sockets = f" ws://{host} wss://{host}" if HOST.fullmatch(host) else ""
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        f"connect-src 'self'{sockets}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
