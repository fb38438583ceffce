"""The handshake that makes a request a WebSocket, and the handing over of its connection.

Source: RFC 6455, sections 1.3 and 4.2.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from typing import cast

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import WebSocketReader

from demo.frames import Broken
from demo.metering import MeteredTransport, stream
from demo.peer import Hear, Peer
from demo.queries import problem
from demo.ready import wire

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = "13"


class HandedOver(web.StreamResponse):
    """What a handler returns when its connection is a peer's: aiohttp writes nothing more."""

    def __init__(self, peer: Peer) -> None:
        super().__init__(status=101)
        self.peer = peer

    @property
    def prepared(self) -> bool:
        """It has been written."""
        return True

    @property
    def keep_alive(self) -> bool:
        """No other request comes this way."""
        return False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:  # noqa: ARG002
        """Write nothing."""
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """Write nothing."""


def upgrade(
    request: web.Request,
    headers: Mapping[str, str],
    hear: Hear,
    broke: Callable[[Broken], None],
    ended: Callable[[Peer], None],
    longest: int,
    heartbeat_s: float,
) -> Peer:
    """Answer 101, and hand the request's connection to a peer; raise a 400 if it is no upgrade."""
    accepted = _accept(request)
    if request.transport is None:
        raise _refusal("the client has gone")  # which nobody reads
    transport = cast(MeteredTransport, request.transport)
    fields = {
        **headers,
        "Upgrade": "websocket",
        "Connection": "upgrade",
        "Sec-WebSocket-Accept": accepted,
    }
    transport.write(wire(101, fields))
    stream(request)
    peer = Peer(transport, hear, broke, ended, longest, heartbeat_s)
    _hand_over(request, peer)
    return peer


def _hand_over(request: web.Request, peer: Peer) -> None:
    handler = request.protocol
    # What came with the request, or since, is fed to the peer here.
    handler.set_parser(cast(WebSocketReader, peer))
    protocol = getattr(peer.transport, "protocol", None)  # aiohttp's own test server counts nothing
    if protocol is None:
        peer.transport.set_protocol(peer)
    else:
        protocol.lead(peer)
    # Without a transport aiohttp's protocol closes nothing when the handler returns; then it is
    # told that its connection is lost, so that the server forgets it.
    handler.transport = None
    request.task.add_done_callback(lambda _: handler.connection_lost(None))


def _accept(request: web.Request) -> str:
    headers = request.headers
    if request.method != hdrs.METH_GET or request.version != HttpVersion11:
        raise _refusal("a WebSocket is opened by a GET of HTTP/1.1")
    if headers.get("Upgrade", "").strip().lower() != "websocket":
        raise _refusal("this is no WebSocket upgrade")
    if request.can_read_body:  # whose end would be taken for frames, or frames for its end
        raise _refusal("a WebSocket is opened by a request without a body")
    options = ",".join(headers.getall("Connection", [])).lower().split(",")
    if "upgrade" not in map(str.strip, options):
        raise _refusal("the Connection header does not ask for the upgrade")
    if headers.get("Sec-WebSocket-Version") != VERSION:
        raise _refusal(f"the version of WebSocket must be {VERSION}")
    key = headers.get("Sec-WebSocket-Key", "")
    try:
        whole = len(base64.b64decode(key, validate=True)) == 16
    except (ValueError, binascii.Error):
        whole = False
    if not whole:
        raise _refusal("Sec-WebSocket-Key must be 16 bytes in base64")
    return base64.b64encode(hashlib.sha1((key + GUID).encode()).digest()).decode()  # noqa: S324


def _refusal(reason: str) -> web.HTTPException:
    return problem(web.HTTPBadRequest, f"{reason}: open this address as a WebSocket")
