"""The two servers of the article that this project grew from: an echo, and a room for plain text.

    const socket = new WebSocket('ws://localhost:3001')
    socket.onmessage = event => console.log(event.data)
    socket.onopen = () => socket.send('A new user has joined the chat!')

works here as it is written there. What is said in the room enters the feed, so it appears in every
mode, and what is published in any mode is heard in the room.
"""

from functools import partial

from aiohttp import WSCloseCode, web

from demo.answers import ANSWERS
from demo.fanout import Fanout
from demo.feed import Entry
from demo.frames import text_frame
from demo.listener import Listener
from demo.peer import Peer
from demo.publishing import PUBLISHING, Publishing, Refused
from demo.queries import NO_STORE
from demo.sockets import open_peer
from demo.stats import STATS, begin
from demo.upgrade import HandedOver

GUEST = "guest"
ROOM = web.AppKey("ROOM", Fanout)


def plain_frame(entry: Entry) -> bytes:
    """Frame a message's text alone, as the room hears it."""
    return text_frame(entry.message.text.encode())


async def room(request: web.Request) -> web.StreamResponse:
    """Publish each text received; send each message's text to all, its sender included."""
    tally = begin(request, request.app[STATS].other)
    room = request.app[ROOM]
    hear = partial(_publish, request.app[PUBLISHING], request.remote)
    peer = open_peer(request, NO_STORE, hear, lambda _: room.discard(listener))
    listener = Listener(peer, peer.transport, request.app[ANSWERS].feed.head, tally)
    room.add(listener)
    return HandedOver(peer)


async def echo(request: web.Request) -> web.StreamResponse:
    """Answer each text with `Server received your message: "<text>"`."""
    begin(request, request.app[STATS].other)
    hear = partial(_answer, request.app[PUBLISHING], request.remote)
    return HandedOver(open_peer(request, NO_STORE, hear, lambda _: None))


async def _answer(publishing: Publishing, address: str | None, peer: Peer, text: str) -> None:
    try:
        publishing.check_pace(address, peer.meter)
    except Refused as refused:
        await _refuse(peer, refused)
    else:
        peer.say(text_frame(f'Server received your message: "{text}"'.encode()))


async def _publish(publishing: Publishing, address: str | None, peer: Peer, text: str) -> None:
    try:
        await publishing.publish_text(GUEST, text, address, peer.meter)
    except Refused as refused:
        await _refuse(peer, refused)


async def _refuse(peer: Peer, refused: Refused) -> None:
    """Close: plain text has no room for an error beside the chat, but a close can say why."""
    reason = str(refused).encode()[:120].decode(errors="ignore").encode()
    away = refused.response is web.HTTPServiceUnavailable
    code = WSCloseCode.TRY_AGAIN_LATER if away else WSCloseCode.POLICY_VIOLATION
    await peer.close(code=code, message=reason)
