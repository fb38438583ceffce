"""A server that answers at once, to measure what the instrument itself contributes.

No feed, no framework, no history: each poll is answered with one message stamped as it is written,
and each WebSocket gets one every few milliseconds. What a client measures here is its own.
"""

import asyncio
import base64
import hashlib
import time
from typing import cast
from urllib.parse import parse_qs, urlsplit

from clients.frames import text_frame
from clients.worker import end_with_stdin, say
from demo.message import Hello, Message, encode

EPOCH = "stand-in"
PUSH_EVERY_S = 0.005
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
TEXT = "x" * 64


class StandIn(asyncio.Protocol):
    """One connection: HTTP with keep-alive, until it is upgraded."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._pushing: asyncio.TimerHandle | None = None
        self._upgraded = False

    def data_received(self, data: bytes) -> None:
        """Answer a request; a client here sends one at a time, in one piece."""
        if self._upgraded:
            self._transport.close()  # it can only be the close frame
            return
        head, *lines = data.decode("latin-1").split("\r\n")
        after = int(parse_qs(urlsplit(head.split()[1]).query)["after"][0])
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}
        if "sec-websocket-key" in headers:
            self._upgrade(headers["sec-websocket-key"], after)
        else:
            self._answer(after)

    def connection_lost(self, _: Exception | None) -> None:
        """Stop pushing."""
        if self._pushing is not None:
            self._pushing.cancel()

    def _answer(self, after: int) -> None:
        body = b'{"epoch":"%b","cursor":%d,"messages":[%b]}' % (
            EPOCH.encode(),
            after + 1,
            _message(after + 1),
        )
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)

    def _upgrade(self, key: str, after: int) -> None:
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest())  # noqa: S324
        self._transport.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
        )
        self._upgraded = True
        self._transport.write(text_frame(encode(Hello(EPOCH, after))))
        self._push(after + 1)

    def _push(self, number: int) -> None:
        self._transport.write(text_frame(_message(number)))
        loop = asyncio.get_running_loop()
        self._pushing = loop.call_later(PUSH_EVERY_S, self._push, number + 1)


def _message(number: int) -> bytes:
    now = time.perf_counter_ns()
    return encode(Message(number, "stand-in", TEXT, now, now))


async def serve() -> None:
    """Serve until the process is ended; print the address first."""
    server = await asyncio.get_running_loop().create_server(StandIn, "127.0.0.1", 0)
    say(b"Listening on http://127.0.0.1:%d" % server.sockets[0].getsockname()[1])
    serving = asyncio.create_task(server.serve_forever())
    end_with_stdin(serving)
    await asyncio.wait({serving})


if __name__ == "__main__":
    asyncio.run(serve())
