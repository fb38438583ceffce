"""Open WebSockets: how each is opened, and how all are closed when the server stops."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import WSCloseCode, web

from demo.publishing import PUBLISHING
from demo.queries import problem
from demo.stats import MeteredTransport, stream

HEARTBEAT_S = 30.0  # without a sign of life at most; half as long again for the answer to a ping
JITTER = 0.2  # less, or all who came at once would be pinged at once for ever
MAX_FRAME_BYTES = 64 * 1024

GOODBYE_S = 0.3  # how long all sockets together may take to be told that the server stops

SOCKETS: web.AppKey[dict[web.WebSocketResponse, MeteredTransport]] = web.AppKey("SOCKETS", dict)


@asynccontextmanager
async def open_socket(
    request: web.Request, headers: Mapping[str, str], *, deflate: bool = False
) -> AsyncIterator[tuple[web.WebSocketResponse, MeteredTransport]]:
    """Upgrade the request; yield the WebSocket and its transport, for frames made beforehand.

    Compression stays off unless asked for: it costs three times the CPU and up to 20 times the
    memory, and a frame made once for all readers cannot be compressed for each.
    """
    longest = max(MAX_FRAME_BYTES, request.app[PUBLISHING].limits.body_bytes)
    heartbeat_s = HEARTBEAT_S * random.uniform(1 - JITTER, 1)
    ws = web.WebSocketResponse(compress=deflate, heartbeat=heartbeat_s, max_msg_size=longest)
    ws.headers.update(headers)
    try:
        await ws.prepare(request)
    except web.HTTPBadRequest as refusal:
        reason = " ".join((refusal.text or "").split())
        line = f"{reason}: open this address as a WebSocket"
        raise problem(web.HTTPBadRequest, line) from None
    stream(request)
    transport = cast(MeteredTransport, request.transport)
    sockets = request.app[SOCKETS]
    sockets[ws] = transport
    try:
        yield ws, transport
    finally:
        del sockets[ws]
        if isinstance(ws.exception(), TimeoutError):
            transport.meter.tally.silent += 1
        if ws.close_code == WSCloseCode.ABNORMAL_CLOSURE:
            transport.abort()  # a close would wait for a stalled reader to take what is unsent


async def close_all(sockets: dict[web.WebSocketResponse, MeteredTransport]) -> None:
    """Close every socket with 1001, all at once; cut off readers that do not take even that."""
    closing = {asyncio.create_task(_close(ws)): transport for ws, transport in sockets.items()}
    if not closing:
        return
    _, stalled = await asyncio.wait(closing, timeout=GOODBYE_S)
    for task in stalled:
        closing[task].abort()
    await asyncio.gather(*closing, return_exceptions=True)


async def _close(ws: web.WebSocketResponse) -> None:
    await ws.close(code=WSCloseCode.GOING_AWAY, message=b"the server stops", drain=False)
