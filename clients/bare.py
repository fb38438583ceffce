"""Connections without a library: polls and WebSockets that are counted, not timed.

A measured client costs two to three times what it costs the server to answer it, so that a large
crowd of them would measure itself. One of these costs a third to a fifth of that.
"""

import asyncio
from collections.abc import Callable, Iterator
from typing import cast

from clients.backoff import asked_s
from clients.dialling import KEEPALIVE_S
from clients.frames import CLOSE, HEAD_END, PING, PONG, TEXT, masked, measure
from clients.joining import Crowd

ANSWERED = (200, 204, 410)
LENGTH, RETRY_AFTER = b"\r\ncontent-length:", b"\r\nretry-after:"
GREETING = 1  # text, which is no delivery yet
GOODBYE = (1000).to_bytes(2)  # RFC 6455, section 7.4.1

Ask = Callable[[], bytes]  # make a request
Take = Callable[[int, bytes], bool]  # take a status and a body; say whether there is more to come
Hear = Callable[[bytes], bool]  # likewise a text


class Poller(asyncio.Protocol):
    """Ask, take the answer, pause, ask again; `pauses` has the seconds of each pause.

    keepalive: otherwise each request has a connection of its own, which is closed after it
    """

    def __init__(
        self, crowd: Crowd, ask: Ask, take: Take, pauses: Iterator[float], *, keepalive: bool = True
    ) -> None:
        self._crowd = crowd
        self._tally = crowd.tally
        self._ask = ask
        self._take = take
        self._pauses = pauses
        self._later = asyncio.get_running_loop().call_later
        self._keepalive = keepalive
        self._backoff = crowd.backoff()
        self._wanted_s = 0.0
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._asking = self._joined = self._done = False

    async def connect(self) -> None:
        """Open a connection and ask."""
        await self._crowd.connect(self, self._backoff)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask at once."""
        self._transport = cast(asyncio.Transport, transport)
        self._wanted_s = 0.0
        self._tally.connections += 1
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take an answer when it is complete."""
        self._tally.bytes_down += len(data)
        self._buffer += data
        if (answer := cut(self._buffer)) is not None:
            if answer[0] not in ANSWERED:
                self._wanted_s = wanted_s(self._buffer)
            self._asking, self._buffer = False, b""
            self._answered(*answer)

    def connection_lost(self, _: Exception | None) -> None:
        """Leave, or be back for the next request."""
        self._transport = None
        self._buffer = b""
        if self._done:
            self._crowd.leave()
        elif self._asking:
            self._crowd.again(self.connect, self._backoff, self._wanted_s)
        elif not self._keepalive:
            self._pause()

    def _answered(self, status: int, body: bytes) -> None:
        assert self._transport is not None
        if status not in ANSWERED:
            self._asking = True  # still: it ends as a broken connection does
            self._transport.close()
            return
        self._backoff.reset()
        if not self._joined:
            self._joined = True
            self._crowd.arrive()
        self._done = not self._take(status, body)
        if self._done or not self._keepalive:
            self._transport.close()
        else:
            self._pause()

    def _pause(self) -> None:
        pause_s = next(self._pauses)
        if pause_s > KEEPALIVE_S and self._transport is not None:
            self._transport.close()  # as a measured client does meanwhile
        if pause_s > 0:
            self._later(pause_s, self._send)
        else:
            self._send()

    def _send(self) -> None:
        if self._transport is None:
            self._crowd.start(self.connect())
            return
        self._asking = True
        request = self._ask()
        self._tally.requests += 1
        self._tally.bytes_up += len(request)
        self._transport.write(request)


class Listener(asyncio.Protocol):
    """Upgrade once, take the texts that come, and say goodbye as RFC 6455 has it."""

    def __init__(self, crowd: Crowd, ask: Ask, hear: Hear) -> None:
        self._crowd = crowd
        self._tally = crowd.tally
        self._ask = ask
        self._take_text = hear
        self._backoff = crowd.backoff()
        self._joined = False

    async def connect(self) -> None:
        """Open a connection and ask."""
        await self._crowd.connect(self, self._backoff)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast(asyncio.Transport, transport)
        self._buffer = b""
        self._open = self._closed = self._done = False
        self._texts = 0
        self._wanted_s = 0.0
        self._tally.connections += 1
        self._tally.requests += 1
        self._say(self._ask())

    def data_received(self, data: bytes) -> None:
        """Take every frame that is complete."""
        self._tally.bytes_down += len(data)
        data = self._buffer + data
        at = 0 if self._open else self._upgraded(data)
        while self._open and (found := measure(data, at)) is not None:
            head, payload = found
            begin, end = at + head, at + head + payload
            self._hear(data[at] & 0x0F, data[begin:end])
            at = end
        self._buffer = data[at:]

    def connection_lost(self, _: Exception | None) -> None:
        """Leave; or come back, when it was not us who said goodbye."""
        if self._texts > GREETING:
            self._backoff.reset()
        if self._done:
            self._crowd.leave()
        else:
            backoff, wanted_s = self._backoff, self._wanted_s
            self._crowd.again(self.connect, backoff, wanted_s, failed=not self._closed)

    def _upgraded(self, data: bytes) -> int:
        """Take the answer's head when it is all there; return where the frames begin."""
        head, end, _ = data.partition(HEAD_END)
        if not end:
            return 0
        self._open = head.startswith(b"HTTP/1.1 101 ")
        if not self._open:
            self._wanted_s = wanted_s(data)
            self._transport.close()
        elif not self._joined:
            self._joined = True
            self._crowd.arrive()
        return len(head) + len(end)

    def _hear(self, opcode: int, body: bytes) -> None:
        if opcode == PING and not self._done:  # after our goodbye a pong would find nobody
            self._say(masked(PONG, body))
        elif opcode == CLOSE and not self._done:
            self._closed = True
            self._say(masked(CLOSE, body[:2]))
        elif opcode == TEXT:
            self._texts += 1
            if not self._take_text(body) and not self._done:
                self._done = True  # and the server, which answers, is the one to hang up
                self._say(masked(CLOSE, GOODBYE))

    def _say(self, data: bytes) -> None:
        self._tally.bytes_up += len(data)
        self._transport.write(data)


def cut(data: bytes) -> tuple[int, bytes] | None:
    """Return status and body of an HTTP answer, None while it is not all there."""
    head, end, body = data.partition(HEAD_END)
    if not end:
        return None
    status = int(head[9:12])
    if status == 204:
        return status, body  # RFC 9110, section 15.3.5: there is none
    _, _, length = head.lower().partition(LENGTH)
    return (status, body) if len(body) >= int(length.partition(b"\r\n")[0] or 0) else None


def wanted_s(answer: bytes) -> float:
    """Return how many seconds a refusal asks to be left alone."""
    head, _, _ = answer.partition(HEAD_END)
    _, _, seconds = head.lower().partition(RETRY_AFTER)
    return asked_s(seconds.partition(b"\r\n")[0].decode("latin-1"))
