"""Serve an app: listen, count bytes at the transport, and stop within a second."""

import asyncio
import errno
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from demo.doors import DOORS
from demo.ending import end_connections
from demo.refusals import Refusals
from demo.stats import STATS
from demo.stop import Stop

BACKLOG = 4096
AT_ONCE = 2  # asyncio accepts so many before it looks at any: no more than there are files to spare
EXACTLY_S = 3600.0  # aiohttp rounds delays above 5 s up to whole seconds, and pings would bunch
LINGER_S = 1.0  # how long the rest of a body is read that nobody wants, so that the answer is
STOP_S = 0.1  # for handlers whose connections have been cut off; spent at most twice


@asynccontextmanager
async def serving(
    app: web.Application,
    host: str,
    port: int,
    *,
    share_port: bool = False,
    stop: Stop | None = None,
) -> AsyncIterator[list[str]]:
    """Serve `app` until the block ends; yield the URLs it listens at.

    Raises OSError when an address cannot be had. Port 0 takes a free one. With `share_port`, others
    that say so too may listen there, and the kernel spreads the connections. At the end held polls
    are answered and WebSockets closed with 1001, and who is slow is not waited for: see ending.py.
    """
    sockets = bind(host, port, share_port=share_port)
    runner = web.AppRunner(
        app,
        handler_cancellation=True,  # or a held poll would run on after its client has gone
        access_log=None,  # halves the rate of polls
        keepalive_timeout=app[DOORS].bounds.idle_s,
        timeout_ceil_threshold=EXACTLY_S,
        auto_decompress=False,  # nobody who publishes compresses, but one may send a bomb
        logger=_log(app[STATS].refusals),
        lingering_time=LINGER_S,
        shutdown_timeout=STOP_S,
    )
    try:
        await runner.setup()
    except BaseException:
        for sock in sockets:
            sock.close()
        raise
    assert runner.server is not None
    factory = app[DOORS].guarded(runner.server)
    loop = asyncio.get_running_loop()
    servers: list[asyncio.Server] = []
    try:
        for sock in sockets:
            servers.append(await loop.create_server(factory, sock=sock, backlog=AT_ONCE))
            sock.listen(BACKLOG)
        yield urls(sockets)
    finally:
        for sock in sockets[len(servers) :]:
            sock.close()
        for server in servers:
            server.close()
        stop = stop or Stop()
        stop.cut_off = await end_connections(app, stop.again)
        await asyncio.sleep(0)
        await runner.cleanup()


def bind(host: str, port: int, *, share_port: bool = False) -> list[socket.socket]:
    """Bind `host`:`port`; `localhost` means 127.0.0.1 and, where there is one, ::1.

    Raises OSError when the address is taken or unknown.
    """
    if host != "localhost":
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return [_bind(family, host, port, share_port)]
    first = _bind(socket.AF_INET, "127.0.0.1", port, share_port)
    try:
        second = _bind(socket.AF_INET6, "::1", first.getsockname()[1], share_port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and port:
            first.close()
            raise
        return [first]  # no IPv6 here, or the free port is taken there
    return [first, second]


def place(host: str, sockets: list[socket.socket]) -> tuple[str, int]:
    """Return the host and the port by which others bind what `bind` has got of `host`.

    Of `localhost` that may be 127.0.0.1 alone, while the same port of ::1 is taken.
    """
    address, port, *_ = sockets[0].getsockname()
    return address if host == "localhost" and len(sockets) == 1 else host, port


def urls(sockets: list[socket.socket]) -> list[str]:
    """Return where these sockets are."""
    return [_url(sock.getsockname()) for sock in sockets]


def _log(refusals: Refusals) -> logging.Logger:
    """Return a log of the server's faults; what is the client's fault is counted instead."""

    def is_ours(record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, HttpProcessingError):
            return True
        refusals.malformed += 1
        return False

    logger = logging.Logger("demo")  # noqa: LOG001  of this server alone
    logger.addHandler(logging.StreamHandler())
    logger.addFilter(is_ours)
    return logger


def _bind(family: socket.AddressFamily, host: str, port: int, share_port: bool) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if os.name == "posix":  # elsewhere this option would share the port
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if share_port:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            sock.bind((host, port))
        except TypeError:  # a name that cannot be looked up at all, such as one of 100 letters é
            raise socket.gaierror(f"{host} is not a host name") from None
    except OSError:
        sock.close()
        raise
    sock.setblocking(False)
    return sock


def _url(address: tuple[str, int]) -> str:
    host, port = address[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
