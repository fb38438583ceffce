"""WebSocket: keep the connection open, push whatever comes, take whatever is said."""

from functools import partial

from aiohttp import web

from demo.answers import ANSWERS
from demo.deflation import DEFLATION, answer_deflated
from demo.fanout import Fanout
from demo.frames import text_frame
from demo.listener import LISTENER, Listener, greet
from demo.message import Problem, encode
from demo.peer import Peer
from demo.publishing import PUBLISHING, Publishing, Refused
from demo.queries import NO_STORE, reader
from demo.sockets import open_peer
from demo.tally import Tally
from demo.upgrade import HandedOver

PATH = "/ws"
FANOUT = web.AppKey("FANOUT", Fanout)


async def answer(request: web.Request, tally: Tally) -> web.StreamResponse:
    """Answer 101, say where the reader starts, then write what comes; close 4410 on a gap."""
    answers = request.app[ANSWERS]
    feed = answers.feed
    query = reader(request)
    cursor = feed.head if query.cursor is None else query.cursor
    epoch = feed.epoch if query.epoch is None else query.epoch
    hear = partial(_publish, request.app[PUBLISHING], request.remote)
    if DEFLATION in request.app and "Sec-WebSocket-Extensions" in request.headers:
        return await answer_deflated(request, cursor, epoch, tally)
    fanout = request.app[FANOUT]
    peer = open_peer(request, NO_STORE, hear, lambda _: fanout.discard(listener))
    listener = Listener(peer, peer.transport, cursor, tally)
    if await greet(listener, feed, epoch):
        fanout.add(listener)
        request[LISTENER] = listener
    return HandedOver(peer)


async def _publish(publishing: Publishing, address: str | None, peer: Peer, text: str) -> None:
    try:
        await publishing.publish_json(text, address, peer.meter)
    except Refused as refused:
        peer.say(text_frame(encode(Problem(str(refused)))))
