"""The generator of polls: bare connections, each of which asks again as soon as it is answered."""

import asyncio
import re
from collections.abc import Callable
from typing import cast

from tests.bench.crowd import AT_ONCE, CONNECT_S

LENGTH = re.compile(rb"\r\nContent-Length: *(\d+)", re.IGNORECASE)
CURSOR = re.compile(rb'"cursor": ?(\d+)')
PLACE = re.compile(rb"\r\n(Last-Modified|Etag): *([^\r]+)", re.IGNORECASE)  # Nchan's cursor
ASKED_AS = {b"last-modified": "If-Modified-Since", b"etag": "If-None-Match"}
EMPTY = (204, 304)  # nothing new: ours, and Nchan's


class Poller(asyncio.Protocol):
    """One connection; `answered` is called with it and each answer that is there whole."""

    def __init__(self, answered: Callable[["Poller", bytes], None], broken: "Broken") -> None:
        self._answered = answered
        self._broken = broken
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self.left = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass

    def ask(self, request: bytes) -> None:
        """Send a request."""
        assert self._transport is not None
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        end = data.find(b"\r\n\r\n") + 4
        size = end + (0 if end < 4 else length(data[:end]))
        if end < 4 or len(data) < size:
            self._rest = data
            return
        self._rest = b""
        self._answered(self, data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.left:
            self._broken(f"a connection was closed ({exc})")

    def leave(self) -> None:
        """Close the connection."""
        self.left = True
        if self._transport is not None:
            self._transport.abort()


Broken = Callable[[str], None]


class Polling:
    """Connections that poll one server, and count what they are answered."""

    def __init__(self) -> None:
        self.answers = 0
        self.paused_s = 0.0  # by the generator itself, while the server had nothing to do
        self.pollers: list[Poller] = []
        self.fault: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def join(
        self, port: int, connections: int, answered: Callable[[Poller, bytes], None]
    ) -> None:
        """Open the connections, which ask nothing yet."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(CONNECT_S):
            for first in range(0, connections, AT_ONCE):
                opening = (
                    loop.create_connection(lambda: Poller(answered, self.break_off), HOST, port)
                    for _ in range(first, min(first + AT_ONCE, connections))
                )
                self.pollers += [poller for _, poller in await asyncio.gather(*opening)]

    def break_off(self, reason: str) -> None:
        """Note what went wrong first."""
        if not self.fault.done():
            self.fault.set_result(reason)

    def leave(self) -> None:
        """Close all connections."""
        for poller in self.pollers:
            poller.leave()


class Empties(Polling):
    """Ask one thing over and over on each connection, and be told "nothing new"."""

    async def start(self, port: int, path: str, connections: int) -> None:
        """Open the connections, and let each ask."""
        request = get(path)

        def again(poller: Poller, answer: bytes) -> None:
            if status(answer) not in EMPTY:
                self.break_off(f"not an empty answer: {answer[:60]!r}")
                return
            self.answers += 1
            poller.ask(request)

        await self.join(port, connections, again)
        for poller in self.pollers:
            poller.ask(request)


class Held(Polling):
    """Hold a poll on each connection; publish when all are held, and let all be woken, and again.

    A held poll cannot be seen from here, so each publish waits until all have asked again, and for
    `pause_s` more.
    """

    def __init__(self, path: str, pause_s: float) -> None:
        super().__init__()
        self._path = path
        self._pause_s = pause_s
        self._woken = 0
        self._request = get(path.format(cursor=0))
        self._speaker: Poller | None = None

    async def start(self, port: int, connections: int, post: bytes) -> None:
        """Open the connections, let each ask, and publish for the first time."""
        loop = asyncio.get_running_loop()

        def speak() -> None:
            if self._speaker is not None and not self._speaker.left:
                self._speaker.ask(post)

        def woken(poller: Poller, answer: bytes) -> None:
            if poller is self._speaker:
                return
            if status(answer) != 200:
                self.break_off(f"not news: {answer[:60]!r}")
                return
            if not self._woken:
                self._request = self._after(answer)
            self._woken += 1
            self.answers += 1
            poller.ask(self._request)
            if self._woken == connections:
                self._woken = 0
                self.paused_s += self._pause_s
                loop.call_later(self._pause_s, speak)

        await self.join(port, connections + 1, woken)
        self._speaker = self.pollers[0]
        for poller in self.pollers[1:]:
            poller.ask(self._request)
        loop.call_later(self._pause_s + 0.5, speak)

    def _after(self, answer: bytes) -> bytes:
        """Ask for what comes after an answer, as its server wants to be asked."""
        if found := CURSOR.search(answer):
            return get(self._path.format(cursor=int(found[1])))
        place = {ASKED_AS[name.lower()]: value.decode() for name, value in PLACE.findall(answer)}
        return get(self._path, **place)


HOST = "127.0.0.1"


def get(path: str, **headers: str) -> bytes:
    """Return a GET with the headers that a plain client sends, and more."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}", "Accept: */*", "User-Agent: bench"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def post(path: str, body: bytes) -> bytes:
    """Return a POST of JSON."""
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body


def status(answer: bytes) -> int:
    """Return the status of an answer."""
    return int(answer[9:12])


def length(head: bytes) -> int:
    """Return how many bytes of body a head announces."""
    found = LENGTH.search(head)
    return int(found[1]) if found else 0
