"""The generator: a crowd of bare sockets that says texts, and checks that all hear them in order.

No WebSocket library: its cost for every frame would measure the generator, not the server.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import cast

from tests.bench.frames import CLOSE, PING, PONG, TEXT, frame, unframe, upgrade

CONNECT_S = 30.0
AT_ONCE = 100  # connections opened at a time
KNOWN = 1000  # chunks remembered
LOOK_AGAIN_S = 0.05


class Faulty(Exception):
    """A server lost, repeated or reordered a message, or closed a socket."""


async def count_for(seconds: float, fault: asyncio.Future[str], counted: Callable[[], int]) -> int:
    """Return how much is counted in a time, or until there is something: nothing has no figure.

    Raises Faulty when something goes wrong meanwhile. The wait for something has an end.
    """
    before, loop = counted(), asyncio.get_running_loop()
    given_up_s = loop.time() + seconds + CONNECT_S
    await asyncio.wait([fault], timeout=seconds)
    while not fault.done() and counted() == before and loop.time() < given_up_s:
        await asyncio.wait([fault], timeout=LOOK_AGAIN_S)
    if fault.done():
        raise Faulty(fault.result())
    return counted() - before


class Crowd:
    """Sockets that are all at one server; a text is delivered when each of them has it.

    `say` turns a text into what the server takes for it. Texts carry consecutive numbers, and stay
    `in_flight` at a time: each that has reached everyone is followed by a new one.
    """

    def __init__(self, say: Callable[[str], bytes], text_bytes: int) -> None:
        self.readers: list[Reader] = []
        self.deliveries = 0
        self.idle_s = 0.0  # CPU spent in looking for bytes where there were none
        self.known: dict[bytes, range] = {}
        self.latest = b"", 0, 0  # the chunk that was heard last, and which texts it holds
        self.fault: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.latencies_s: list[float] = []  # of texts said one by one
        self._said_at: dict[int, float] = {}
        self._say = say
        self._text_bytes = text_bytes
        self._in_flight = 0
        self._said = 0
        self._reached = 0  # texts that everyone has
        self._standing: Counter[int] = Counter()  # text that comes next -> readers that wait for it
        self._silence = asyncio.Event()
        self._turned = (0, 0.0)  # deliveries, and CPU, when the event loop last came round

    async def join(self, port: int, path: str, sockets: int) -> None:
        """Open all sockets."""
        self.readers = [Reader(self, path) for _ in range(sockets)]
        self._standing[0] = sockets
        async with asyncio.timeout(CONNECT_S):
            for first in range(0, sockets, AT_ONCE):
                some = self.readers[first : first + AT_ONCE]
                await asyncio.gather(*(reader.join(port) for reader in some))
        self._watch()

    def start(self, in_flight: int) -> None:
        """Say the first texts; each is followed by another once everyone has it."""
        self._in_flight = in_flight
        self._silence.clear()
        self._speak(in_flight)

    async def stop(self) -> None:
        """Say no more, and wait until everyone has heard all."""
        self._in_flight = 0
        async with asyncio.timeout(CONNECT_S):
            await self._silence.wait()
        self._said_at.clear()

    def say_one(self) -> None:
        """Say a text now, and note how long it takes to reach each socket."""
        self._silence.clear()
        self._said_at[self._said] = time.perf_counter()
        self._speak(1)

    def leave(self) -> None:
        """Close every socket."""
        for reader in self.readers:
            reader.leave()
        self.readers = []

    def heard(self, first: int, end: int) -> None:
        """Note that one reader has got the texts from `first` up to `end`."""
        self.deliveries += end - first
        if self._said_at:
            self._note(first, end)
        self._standing[end] += 1
        self._standing[first] -= 1
        if first == self._reached and not self._standing[first]:
            self._everyone_has()

    def _note(self, first: int, end: int) -> None:
        now = time.perf_counter()
        for number in range(first, end):
            if number in self._said_at:
                self.latencies_s.append(now - self._said_at[number])

    def _watch(self) -> None:
        # The event loop never sleeps: to wake a sleeping reader is a cost of loopback that the
        # server would pay with each send, and the more, the faster the reader is.
        deliveries, then = self._turned
        now = time.process_time()
        if deliveries == self.deliveries:
            self.idle_s += now - then
        self._turned = self.deliveries, now
        if self.readers:
            asyncio.get_running_loop().call_soon(self._watch)

    def _everyone_has(self) -> None:
        before = self._reached
        while not self._standing[self._reached]:
            del self._standing[self._reached]
            self._reached += 1
        if self._in_flight:
            self._speak(self._reached - before)
        elif self._reached == self._said:
            self._silence.set()

    def _speak(self, count: int) -> None:
        texts = (f"#{number:08d} ".ljust(self._text_bytes, "x") for number in self._next(count))
        frames = b"".join(frame(TEXT, self._say(text)) for text in texts)
        self.readers[0].write(frames)

    def _next(self, count: int) -> range:
        self._said += count
        return range(self._said - count, self._said)


class Reader(asyncio.Protocol):
    """One socket of the crowd."""

    def __init__(self, crowd: Crowd, path: str) -> None:
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._crowd = crowd
        self._known = crowd.known
        self._path = path
        self._rest = b""
        self._next = 0
        self._left = False

    async def join(self, port: int) -> None:
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: self, "127.0.0.1", port)
        await self._joined

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is not a subclass
        self.write(upgrade(self._path))

    def data_received(self, data: bytes) -> None:
        # Most readers get the bytes that the one before them got, and wait for the same text.
        latest, first, end = self._crowd.latest
        if data == latest and first == self._next and not self._rest:
            self._next = end
            self._crowd.heard(first, end)
        else:
            self._look(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._left:
            self._fail(f"a socket was closed ({exc})")

    def _look(self, data: bytes) -> None:
        # What has been parsed once is looked up.
        numbers = None if self._rest else self._known.get(data)
        if numbers is None:
            numbers = self._parse(data)
        if not numbers:
            return
        first = self._next
        if numbers.start != first:
            self._fail(f"text {first} was due, and {numbers.start} came")
            return
        self._next = numbers.stop
        if data in self._known:
            self._crowd.latest = data, first, numbers.stop
        self._crowd.heard(first, numbers.stop)

    def write(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.write(data)

    def leave(self) -> None:
        self._left = True
        if self._transport is not None:
            self._transport.abort()

    def _parse(self, data: bytes) -> range:
        whole = not self._rest
        self._rest += data
        if not self._joined.done() and not self._upgraded():
            return range(0)
        numbers = []
        while (found := unframe(self._rest)) is not None:
            opcode, payload, size = found
            self._rest = self._rest[size:]
            if opcode == TEXT and (at := payload.find(b"#")) >= 0:  # else a greeting
                numbers.append(int(payload[at + 1 : at + 9]))
            elif opcode == PING:
                self.write(frame(PONG, payload))
                whole = False
            elif opcode == CLOSE:
                self._fail(f"a socket was closed ({payload[2:].decode()})")
        return self._consecutive(numbers, data if whole and not self._rest else None)

    def _consecutive(self, numbers: list[int], data: bytes | None) -> range:
        if not numbers:
            return range(0)
        expected = range(numbers[0], numbers[0] + len(numbers))
        if numbers != list(expected):
            self._fail(f"texts came as {numbers}")
        if data is not None:
            if len(self._known) >= KNOWN:
                self._known.clear()
            self._known[data] = expected
        return expected

    def _upgraded(self) -> bool:
        head, end, rest = self._rest.partition(b"\r\n\r\n")
        if not end:
            return False
        if not head.startswith(b"HTTP/1.1 101 "):
            self._fail(head.partition(b"\r\n")[0].decode())
        self._rest = rest
        self._joined.set_result(None)
        return True

    def _fail(self, reason: str) -> None:
        if not self._joined.done():
            self._joined.set_exception(Faulty(reason))
        if not self._crowd.fault.done():
            self._crowd.fault.set_result(reason)
