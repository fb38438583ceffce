"""Push with permessage-deflate (RFC 7692): each message compressed anew for each reader.

Off unless asked for. Every reader has a compressor with a memory of its own, so nothing can be
made once for all: this is what the extension costs, side by side with what it saves. These sockets
stay aiohttp's, with the request that opened them, which is 10 KiB of what they take.
"""

import asyncio
import contextlib
from itertools import islice

from aiohttp import WSMsgType, web

from demo.answers import ANSWERS
from demo.feed import Feed, Gap
from demo.listener import LISTENER, Listener, greet, tell_gap
from demo.message import Problem, encode
from demo.metering import meter_of
from demo.publishing import PUBLISHING, Refused
from demo.queries import NO_STORE
from demo.sockets import open_socket
from demo.tally import Tally

AT_ONCE = 32  # messages: a reader that takes none keeps so many, though the history moves on


class Deflation:
    """Push a feed to listeners whose sockets compress; the same verbs as a fan-out."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._pushing: dict[Listener, asyncio.Task[None]] = {}

    def add(self, listener: Listener) -> None:
        """Write what the listener has missed, and all that comes."""
        self._pushing[listener] = asyncio.create_task(self._push(listener))

    def discard(self, listener: Listener) -> None:
        """Forget a listener whose connection is gone."""
        self._pushing.pop(listener).cancel()

    async def _push(self, listener: Listener) -> None:
        epoch = self._feed.epoch
        with contextlib.suppress(ConnectionError):  # the reader has gone
            while listener.open and not self._feed.closed:
                try:
                    await self._catch_up(listener, epoch)
                except Gap as gap:
                    await tell_gap(listener, self._feed, gap)
                    return
                if self._feed.epoch == epoch:  # else catching up finds the gap
                    await self._feed.news(listener.cursor)

    async def _catch_up(self, listener: Listener, epoch: str) -> None:
        self._feed.check(listener.cursor, epoch)
        for entry in tuple(islice(self._feed.after(listener.cursor), AT_ONCE)):
            assert isinstance(listener.ws, web.WebSocketResponse)
            await listener.ws.send_frame(entry.json, WSMsgType.TEXT)
            listener.cursor = entry.message.id
            listener.tally.deliveries += 1


DEFLATION = web.AppKey("DEFLATION", Deflation)  # there if compression was asked for


async def answer_deflated(
    request: web.Request, cursor: int, epoch: str, tally: Tally
) -> web.StreamResponse:
    """Answer a reader that offers an extension as demo/websocket.py answers others."""
    feed = request.app[ANSWERS].feed
    async with open_socket(request, NO_STORE, deflate=True) as (ws, transport):
        listener = Listener(ws, transport, cursor, tally)
        if not await greet(listener, feed, epoch):
            return ws
        request.app[DEFLATION].add(listener)
        request[LISTENER] = listener
        try:
            await _listen(request, ws)
        finally:
            request.app[DEFLATION].discard(listener)
    return ws


async def _listen(request: web.Request, ws: web.WebSocketResponse) -> None:
    # Reading is what answers pings and notices a close, so it goes on even if nobody speaks.
    publishing = request.app[PUBLISHING]
    async for frame in ws:
        if frame.type is not WSMsgType.TEXT:
            await ws.close(code=1003, message=b"text frames only")
            return
        try:
            await publishing.publish_json(frame.data, request.remote, meter_of(request))
        except Refused as refused:
            await ws.send_str(encode(Problem(str(refused))).decode())
