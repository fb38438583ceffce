"""Open WebSockets: how each is opened, and how all are closed when the server stops."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import WSCloseCode, web

from demo.metering import MeteredTransport, stream
from demo.peer import Hear, Peer
from demo.publishing import PUBLISHING
from demo.queries import problem
from demo.stats import STATS
from demo.upgrade import upgrade

HEARTBEAT_S = 30.0  # without a sign of life at most; half as long again for the answer to a ping
JITTER = 0.2  # less, or all who came at once would be pinged at once for ever
MAX_FRAME_BYTES = 64 * 1024

STOPS = b"the server stops"

PULSE_S = 1.0  # how often it is looked who has been silent
TURN = 1000  # peers looked at before others get a turn

Socket = web.WebSocketResponse | Peer
SOCKETS: web.AppKey[dict[Socket, MeteredTransport]] = web.AppKey("SOCKETS", dict)


def open_peer(
    request: web.Request, headers: Mapping[str, str], hear: Hear, ended: Callable[[Peer], None]
) -> Peer:
    """Upgrade the request, and part it from its connection; `ended` is called when that has gone.

    The peer costs a quarter of what an idle WebSocket of aiohttp's costs, and what is written to it
    are frames made beforehand. `hear` must not keep the request.
    """
    sockets = request.app[SOCKETS]

    def end(peer: Peer) -> None:
        del sockets[peer]
        ended(peer)

    broke = request.app[STATS].refusals.broken
    peer = upgrade(request, headers, hear, broke, end, _longest(request.app), _heartbeat_s())
    sockets[peer] = peer.transport
    return peer


async def watch(sockets: dict[Socket, MeteredTransport]) -> None:
    """Ping peers that say nothing, and cut off those that do not answer, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(PULSE_S)
        for number, (peer, transport) in enumerate(tuple(sockets.items()), 1):
            if isinstance(peer, Peer) and peer.beat(loop.time()):
                transport.meter.tally.silent += 1
                transport.abort()
            if number % TURN == 0:
                await asyncio.sleep(0)


@asynccontextmanager
async def open_socket(
    request: web.Request, headers: Mapping[str, str], *, deflate: bool = False
) -> AsyncIterator[tuple[web.WebSocketResponse, MeteredTransport]]:
    """Upgrade the request in aiohttp's way; yield the WebSocket and its transport.

    Compression stays off unless asked for: it costs three times the CPU and up to 20 times the
    memory, and a frame made once for all readers cannot be compressed for each.
    """
    ws = web.WebSocketResponse(
        compress=deflate, heartbeat=_heartbeat_s(), max_msg_size=_longest(request.app)
    )
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


async def say_goodbye(sockets: dict[Socket, MeteredTransport]) -> list[asyncio.Task[None]]:
    """Close every socket with 1001; return a task for each of those that wait for its answer."""
    closing = []
    for number, socket in enumerate(tuple(sockets), 1):
        if isinstance(socket, Peer):
            socket.say_goodbye(WSCloseCode.GOING_AWAY, STOPS)
        else:
            closing.append(asyncio.create_task(_close(socket)))
        if number % TURN == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)  # the tasks begin, and the goodbyes leave
    return closing


async def _close(ws: web.WebSocketResponse) -> None:
    await ws.close(code=WSCloseCode.GOING_AWAY, message=STOPS, drain=False)


def _heartbeat_s() -> float:
    return HEARTBEAT_S * random.uniform(1 - JITTER, 1)


def _longest(app: web.Application) -> int:
    return max(MAX_FRAME_BYTES, app[PUBLISHING].limits.body_bytes)
