"""Push with permessage-deflate (RFC 7692): each message compressed anew for each reader.

Off unless asked for. Every reader has a compressor with a memory of its own, so nothing can be
made once for all: this is what the extension costs, side by side with what it saves. These sockets
stay aiohttp's, with the request that opened them, which is 10 KiB of what they take.
"""

import asyncio
import contextlib
from itertools import islice
from typing import NamedTuple

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
LOOK_S = 1.0  # how often it is looked whom the history has passed by


class Pushing(NamedTuple):
    """What pushes to a listener, and the history that it reads."""

    task: asyncio.Task[None]
    epoch: str


class Deflation:
    """Push a feed to listeners whose sockets compress; the same verbs as a fan-out."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._pushing: dict[Listener, Pushing] = {}
        self._farewells: set[asyncio.Task[None]] = set()

    def add(self, listener: Listener) -> None:
        """Write what the listener has missed, and all that comes."""
        epoch = self._feed.epoch
        self._pushing[listener] = Pushing(asyncio.create_task(self._push(listener, epoch)), epoch)

    def discard(self, listener: Listener) -> None:
        """Forget a listener whose connection is gone."""
        self._pushing.pop(listener).task.cancel()

    @property
    def behind(self) -> int:
        """How many listeners have not been given all there is, since they do not take it."""
        head = self._feed.head
        return sum(each.cursor < head and each.unsent_bytes() > 0 for each in self._pushing)

    async def watch(self) -> None:
        """Tell those whom the history has passed by, for ever.

        A push that waits for a reader who takes nothing would never find the gap.
        """
        while True:
            await asyncio.sleep(LOOK_S)
            for listener, pushing in self._pushing.items():
                try:
                    self._feed.check(listener.cursor, pushing.epoch)
                except Gap as gap:
                    self._tell(listener, gap)

    def _tell(self, listener: Listener, gap: Gap) -> None:
        task = asyncio.create_task(tell_gap(listener, self._feed, gap))
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)

    async def _push(self, listener: Listener, epoch: str) -> None:
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
