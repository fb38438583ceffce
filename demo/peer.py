"""One open WebSocket, when the request that opened it has gone: what it says, pings, the close.

aiohttp keeps a request, its headers, two tasks and a parser for as long as a WebSocket lasts, which
is three quarters of what an idle one takes. A peer has none of them: it is handed the connection.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from demo.frames import (
    CLOSE,
    PING,
    PONG,
    TEXT_CODE,
    Broken,
    Frames,
    close_frame,
    closing_code,
    control_frame,
    decoded,
)
from demo.metering import Meter, MeteredTransport

CLOSE_S = 10.0  # how long a peer may take to answer a close
MOST_UNHEARD = 32  # texts that wait to be heard before no more is read
TURN = 100  # texts heard before others get a turn
TURN_BYTES = 4096  # taken before others get a turn: 682 frames at most
MOST_UNSENT = 192 * 1024  # bytes, and a frame, that it may leave untaken and be answered still
NORMAL, NO_BINARY, FAULT = 1000, 1003, 1011

Hear = Callable[["Peer", str], Awaitable[None]]


class Peer(asyncio.Protocol):
    """One end of a WebSocket; `hear` gets each text, one after another.

    closed: whether a close has been sent, so that nothing else may be
    alive_s: when it last sent anything, by the event loop's clock
    pinged_s: when it has been asked for a sign of life since, None if it has not
    broke: is called with what breaks the protocol; ended: with the peer, when its connection has
        gone
    """

    __slots__ = (
        "__weakref__",
        "_broke",
        "_deaf",
        "_ended",
        "_frames",
        "_gone",
        "_hear",
        "_hearing",
        "_lost",
        "_parting",
        "_unheard",
        "_untaken",
        "alive_s",
        "closed",
        "heartbeat_s",
        "pinged_s",
        "transport",
    )

    def __init__(
        self,
        transport: MeteredTransport,
        hear: Hear,
        broke: Callable[[Broken], None],
        ended: Callable[["Peer"], None],
        longest: int,
        heartbeat_s: float,
    ) -> None:
        self.transport = transport
        self.closed = False
        self.alive_s = asyncio.get_running_loop().time()
        self.heartbeat_s = heartbeat_s
        self.pinged_s: float | None = None
        self._broke = broke
        self._ended = ended
        self._frames = Frames(longest)
        self._untaken = b""
        self._hear = hear
        self._unheard: deque[str] | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._gone: asyncio.Future[None] | None = None
        self._lost = False
        self._deaf = False  # once we have closed: what it said before it closed still counts
        self._parting: int | None = None  # the code of a close that waits for what was said before

    def data_received(self, data: bytes) -> None:
        """Take what it says; answer pings and its close, and close if it breaks the protocol."""
        self._untaken += data
        self._take_some()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Let those know who wait for it."""
        self.closed = self._lost = True
        if self._gone is not None and not self._gone.done():
            self._gone.set_result(None)
        self._ended(self)
        del self._ended  # it leads back here, and collections are seldom

    @property
    def meter(self) -> Meter | None:
        """What counts its connection; aiohttp's own test server has none."""
        return getattr(self.transport, "meter", None)

    async def gone(self) -> None:
        """Wait until the connection has gone."""
        if self._lost:
            return
        if self._gone is None:
            self._gone = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._gone)

    async def close(self, *, code: int = NORMAL, message: bytes = b"", drain: bool = False) -> bool:  # noqa: ARG002
        """Send a close, and cut the connection if it is not answered in time."""
        if not self.say_goodbye(code, message):
            return False
        try:
            async with asyncio.timeout(CLOSE_S):
                await self.gone()
        except TimeoutError:
            self._cut_off()
        return True

    def say_goodbye(self, code: int, message: bytes) -> bool:
        """Send a close, unless it is too late; say whether it was sent. Nobody waits here."""
        if self.closed or self.transport.is_closing():
            return False
        self.closed = self._deaf = True
        self.transport.write(close_frame(code, message))
        if self._parting is not None:
            self.transport.close()  # it has closed too, and waits for this alone
        else:
            self._read_on()  # or the answer would not be read
        return True

    def say(self, frame: bytes) -> None:
        """Send a frame, unless it is too late; cut off who makes us speak and takes nothing."""
        if self.closed or self.transport.is_closing():
            return
        # A fan-out leaves up to 128 KiB and a frame untaken, of a reader that is only slow.
        if self.transport.get_write_buffer_size() > MOST_UNSENT + self._frames.longest:
            self._cut_off()
        else:
            self.transport.write(frame)

    def _cut_off(self) -> None:
        if self.meter is not None:
            self.meter.tally.stalled += 1
        self.transport.abort()

    def beat(self, now: float) -> bool:
        """Ping a peer that has been silent for long; say whether it has not answered in time."""
        if len(self._unheard or ()) >= MOST_UNHEARD // 2:
            return False  # while no more is read, it cannot show that it is there
        if self.pinged_s is not None:
            return now - self.pinged_s >= self.heartbeat_s / 2
        if now - self.alive_s >= self.heartbeat_s:
            self.pinged_s = now
            self.say(control_frame(PING))
        return False

    def _take_some(self) -> None:
        some, self._untaken = self._untaken[:TURN_BYTES], self._untaken[TURN_BYTES:]
        if self.transport.is_closing() or self._parting is not None:
            self._untaken = b""
            return
        self.alive_s = asyncio.get_running_loop().time()
        self.pinged_s = None
        try:
            for opcode, payload in self._frames.feed(some):
                self._take(opcode, payload)
                if opcode == CLOSE:
                    break  # what follows is nothing (RFC 6455, section 5.5.1)
        except Broken as broken:
            self._broke(broken)
            self._hang_up(broken.code, str(broken).encode())
        if self._untaken:
            self.transport.pause_reading()
            asyncio.get_running_loop().call_soon(self._take_more)

    def _take_more(self) -> None:
        self._take_some()
        if len(self._unheard or ()) < MOST_UNHEARD:
            self._read_on()

    def _take(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self.say(control_frame(PONG, payload))
        elif opcode == CLOSE:
            self._part(closing_code(payload) or NORMAL)
        elif opcode == TEXT_CODE:
            self._note(decoded(payload))
        elif opcode != PONG and not self.closed:
            self._hang_up(NO_BINARY, b"text frames only")

    def _part(self, code: int) -> None:
        # Answers to what it said before, such as a refusal, come before the answer to its close.
        if self.closed or self._unheard is None:
            self._hang_up(code)
        else:
            self._parting = code

    def _hang_up(self, code: int, reason: bytes = b"") -> None:
        self.say(close_frame(code, reason))
        self.closed = True
        self.transport.close()

    def _note(self, text: str) -> None:
        # Heard one after another, though to hear one may take a while.
        if self.closed:
            return
        if self._unheard is None:
            self._unheard = deque()
            self._hearing = asyncio.get_running_loop().create_task(self._hear_all(self._unheard))
        self._unheard.append(text)
        if len(self._unheard) >= MOST_UNHEARD:
            self.transport.pause_reading()

    async def _hear_all(self, texts: deque[str]) -> None:
        try:
            while texts and not self._deaf:
                await self._hear(self, texts.popleft())
                if len(texts) == MOST_UNHEARD // 2:
                    self._read_on()
                if len(texts) % TURN == 0:
                    await asyncio.sleep(0)  # a feed in memory takes thousands without a pause
        except Exception as fault:  # noqa: BLE001
            context = {"message": "a text could not be heard", "exception": fault}
            asyncio.get_running_loop().call_exception_handler(context)
            self._hang_up(FAULT, b"the server has failed")
        finally:
            # In the step that saw the last text go: whatever comes now begins anew.
            self._unheard = self._hearing = None
            if self._parting is not None:
                self._hang_up(self._parting)
            self._read_on()

    def _read_on(self) -> None:
        if not (self._untaken or self.transport.is_closing()):
            self.alive_s = asyncio.get_running_loop().time()  # it could not show that it was
            self.pinged_s = None
            self.transport.resume_reading()

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Take what came before the connection was handed over, from aiohttp's protocol."""
        self.data_received(data)
        return False, b""

    def feed_eof(self) -> None:
        """Take it from aiohttp's protocol that it has done its part."""
