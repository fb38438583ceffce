"""WebSocket: keep the connection open, push whatever comes, take whatever is said."""

from aiohttp import WSMsgType, web

from demo.answers import ANSWERS
from demo.deflation import Deflation
from demo.fanout import LISTENER, Fanout, Listener, tell_gap
from demo.feed import Gap
from demo.frames import text_frame
from demo.message import Hello, Problem, encode
from demo.publishing import PUBLISHING, Refused
from demo.queries import NO_STORE, reader
from demo.sockets import open_socket
from demo.stats import Tally

PATH = "/ws"
FANOUT = web.AppKey("FANOUT", Fanout)
DEFLATION = web.AppKey("DEFLATION", Deflation)  # there if compression was asked for


async def answer(request: web.Request, tally: Tally) -> web.StreamResponse:
    """Answer 101, say where the reader starts, then write what comes; close 4410 on a gap."""
    answers = request.app[ANSWERS]
    feed = answers.feed
    query = reader(request)
    cursor = feed.head if query.cursor is None else query.cursor
    epoch = feed.epoch if query.epoch is None else query.epoch
    deflate = DEFLATION in request.app
    async with open_socket(request, NO_STORE, deflate=deflate) as (ws, transport):
        listener = Listener(ws, transport, cursor, tally)
        try:
            feed.check(cursor, epoch)
        except Gap as gap:
            await tell_gap(listener, feed, gap)
            return ws
        transport.write(text_frame(encode(Hello(feed.epoch, cursor))))
        fanout = request.app[DEFLATION] if ws.compress else request.app[FANOUT]
        fanout.add(listener)
        request[LISTENER] = listener
        try:
            await _listen(request, ws)
        finally:
            fanout.discard(listener)
    return ws


async def _listen(request: web.Request, ws: web.WebSocketResponse) -> None:
    # Reading is what answers pings and notices a close, so it goes on even if nobody speaks.
    publishing = request.app[PUBLISHING]
    async for frame in ws:
        if frame.type is not WSMsgType.TEXT:
            await ws.close(code=1003, message=b"this feed speaks text frames only")
            return
        try:
            await publishing.publish_json(frame.data, request.remote)
        except Refused as refused:
            await ws.send_str(encode(Problem(str(refused))).decode())
