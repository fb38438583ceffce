"""The article's server: it answers each poll at once with the article's head, and pushes frames.

No feed and no framework: nothing but bytes. Prints its address, and when it is ended its counts.
"""

import asyncio
import contextlib
import signal
from typing import cast

from clients.frames import HEAD_END, text_frame
from clients.joining import Tally
from clients.quantum_leap.article import BODY, RESPONSE, wire
from clients.worker import end_with_stdin, say
from demo.message import encode

BACKLOG = 4096
PERIOD_S = 1.0
ANSWER = wire(RESPONSE) + BODY
FRAME = text_frame(BODY)
UPGRADED = wire(("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"))
GOODBYE = bytes((0x88, 2)) + (1000).to_bytes(2)  # RFC 6455, section 5.5.1


class Connection(asyncio.Protocol):
    """One client: polls, or an upgrade and then a frame every second, until it says goodbye."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._buffer = b""
        self._pushing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast(asyncio.Transport, transport)
        self._tally.connections += 1

    def data_received(self, data: bytes) -> None:
        """Answer; a client here sends one request at a time."""
        self._tally.bytes_up += len(data)
        if self._pushing is not None:
            self._say(GOODBYE)  # it can only be the close frame
            self._transport.close()
            return
        self._buffer += data
        if not self._buffer.endswith(HEAD_END):
            return
        upgrade, self._buffer = b"\r\nUpgrade: " in self._buffer, b""
        self._tally.requests += 1
        self._say(UPGRADED if upgrade else ANSWER)
        if upgrade:
            self._push(asyncio.get_running_loop().time())

    def connection_lost(self, _: Exception | None) -> None:
        """Stop pushing."""
        if self._pushing is not None:
            self._pushing.cancel()

    def _push(self, due: float) -> None:
        self._say(FRAME)
        loop = asyncio.get_running_loop()
        self._pushing = loop.call_at(due + PERIOD_S, self._push, due + PERIOD_S)

    def _say(self, data: bytes) -> None:
        self._tally.bytes_down += len(data)
        self._transport.write(data)


async def serve() -> None:
    """Serve until the process is ended; print the address first, and the counts last."""
    tally = Tally()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(tally), "127.0.0.1", 0, backlog=BACKLOG)
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
    end_with_stdin(task)
    say(b"Listening on http://127.0.0.1:%d" % server.sockets[0].getsockname()[1])
    with contextlib.suppress(asyncio.CancelledError):
        await server.serve_forever()
    say(encode(tally))


if __name__ == "__main__":
    asyncio.run(serve())
