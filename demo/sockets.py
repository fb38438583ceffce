"""Open WebSockets: how each is opened, and how all are closed when the server stops."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import WSCloseCode, web

from demo.queries import problem
from demo.stats import MeteredTransport

HEARTBEAT_S = 30.0
MAX_FRAME_BYTES = 64 * 1024

SOCKETS: web.AppKey[set[web.WebSocketResponse]] = web.AppKey("SOCKETS", set)


@asynccontextmanager
async def open_socket(
    request: web.Request, headers: Mapping[str, str], *, deflate: bool = False
) -> AsyncIterator[tuple[web.WebSocketResponse, MeteredTransport]]:
    """Upgrade the request; yield the WebSocket and its transport, for frames made beforehand.

    Compression stays off unless asked for: it costs three times the CPU and up to 20 times the
    memory, and a frame made once for all readers cannot be compressed for each.
    """
    ws = web.WebSocketResponse(
        compress=deflate, heartbeat=HEARTBEAT_S, max_msg_size=MAX_FRAME_BYTES
    )
    ws.headers.update(headers)
    try:
        await ws.prepare(request)
    except web.HTTPBadRequest as refusal:
        reason = " ".join((refusal.text or "").split())
        line = f"{reason}: open this address as a WebSocket"
        raise problem(web.HTTPBadRequest, line) from None
    transport = cast(MeteredTransport, request.transport)
    sockets = request.app[SOCKETS]
    sockets.add(ws)
    try:
        yield ws, transport
    finally:
        sockets.discard(ws)
        if ws.close_code == WSCloseCode.ABNORMAL_CLOSURE:
            transport.abort()  # a close would wait for a stalled reader to take what is unsent


async def close_all(sockets: set[web.WebSocketResponse]) -> None:
    """Close every socket with 1001, all at once, without waiting for slow readers."""
    closing = [
        ws.close(code=WSCloseCode.GOING_AWAY, message=b"the server stops", drain=False)
        for ws in sockets
    ]
    await asyncio.gather(*closing, return_exceptions=True)
