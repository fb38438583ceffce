"""A model of readers and what they must be told, beside the real feed, answers, fan-out and peer.

No network: a reader takes the bytes that the server wrote, as many as it likes, when it likes. Each
keeps to one rule: the next id, or a gap that says where to read on. The text of every id that was
acknowledged is known, and must be what each reader gets.
"""

import asyncio
import contextlib
import json
from dataclasses import dataclass, field
from typing import cast

from demo.answers import Answers, notice
from demo.fanout import Fanout
from demo.feed import Feed, Gap
from demo.frames import Broken
from demo.listener import Listener, greet
from demo.message import GapNotice
from demo.metering import MeteredTransport
from demo.peer import Peer
from demo.tally import Tally

HOLD_S = 25.0
GAP_CLOSE = (4410).to_bytes(2) + b"gap"


class Server:
    """What stands between a feed and its readers."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.answers = Answers(feed)
        self.fanout = Fanout(feed, lambda entry: entry.frame)
        self.peers: set[Peer] = set()
        self.pushing = asyncio.get_running_loop().create_task(self.fanout.run())

    async def stop(self) -> None:
        """Let all go, as a server does that ends."""
        self.feed.close()
        for peer in tuple(self.peers):
            peer.transport.abort()
        await self.pushing


@dataclass
class Ledger:
    """What was published: the text of every id that was acknowledged, in each epoch."""

    texts: dict[tuple[str, int], str] = field(default_factory=dict)

    def check(self, epoch: str, number: int, text: str) -> None:
        """Fail unless this is what was acknowledged under the id, or what nobody was told of."""
        assert self.texts.setdefault((epoch, number), text) == text


@dataclass(eq=False)  # two at the same place are two
class Reader:
    """A cursor in an epoch; every id up to it has been got or told to be gone."""

    ledger: Ledger
    epoch: str
    cursor: int
    missed: int = 0

    def take(self, number: int, text: str) -> None:
        """Take a message, which must be the next."""
        assert number == self.cursor + 1, f"after {self.cursor} came {number}"
        self.ledger.check(self.epoch, number, text)
        self.cursor = number

    def miss(self, told: GapNotice) -> None:
        """Take it that something is gone, which must be so."""
        if told.epoch == self.epoch:
            assert told.oldest > self.cursor + 1, "nothing is gone"
        self.epoch, self.cursor = told.epoch, told.oldest - 1
        self.missed += 1


class Poller(Reader):
    """A reader that asks, and may be held."""

    held: asyncio.Task[None] | None = None

    def ask(self, server: Server) -> None:
        """Poll as demo/short_polling.py answers."""
        feed = server.feed
        try:
            feed.check(self.cursor, self.epoch)
        except Gap as gap:
            self.miss(notice(feed, gap))
            return
        answer = server.answers.news(self.cursor, Tally())
        if answer.status == 204:
            assert self.cursor == feed.head
            return
        news = json.loads(cast(bytes, answer.body))
        assert news["epoch"] == self.epoch
        for message in news["messages"]:
            self.take(message["id"], message["text"])
        assert news["cursor"] == self.cursor == answer.cursor

    async def hold(self, server: Server) -> None:
        """Poll as demo/long_polling.py answers."""
        with contextlib.suppress(Gap):
            server.feed.check(self.cursor, self.epoch)
            await server.feed.news(self.cursor, HOLD_S)
        self.ask(server)


class Line:
    """A transport whose reader takes what it likes; what it leaves is unsent."""

    def __init__(self) -> None:
        self.peer: Peer | None = None
        self.untaken = bytearray()
        self._closing = self._gone = False

    def write(self, data: bytes) -> None:
        assert not self._closing, "written after the close"
        self.untaken += data

    def get_write_buffer_size(self) -> int:
        return len(self.untaken)

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    def abort(self) -> None:
        self._closing = True
        if not self._gone and self.peer is not None:
            self._gone = True
            asyncio.get_running_loop().call_soon(self.peer.connection_lost, None)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Socket(Reader):
    """A reader by WebSocket that takes its bytes at its own pace."""

    line: Line | None = None
    _rest: bytes = b""

    async def open(self, server: Server) -> None:
        """Open a WebSocket at the cursor, as demo/websocket.py answers."""
        self.leave()
        self.line, self._rest = Line(), b""
        transport = cast(MeteredTransport, self.line)

        def end(peer: Peer) -> None:
            server.peers.discard(peer)
            server.fanout.discard(listener)

        peer = self.line.peer = Peer(transport, _unheard, _unbroken, end, 1000, 30)
        listener = Listener(peer, transport, self.cursor, Tally())
        server.peers.add(peer)
        if await greet(listener, server.feed, self.epoch):
            server.fanout.add(listener)

    def read(self, size: int) -> None:
        """Take so many bytes, and understand the frames that are whole."""
        if self.line is None:
            return
        self._rest += bytes(self.line.untaken[:size])
        del self.line.untaken[:size]
        while self.line is not None and (frame := self._next()):
            self._hear(*frame)

    def leave(self) -> None:
        """Go away without a word."""
        if self.line is not None:
            self.line.abort()
            self.line = None

    def _next(self) -> tuple[int, bytes] | None:
        rest = self._rest
        if len(rest) < 4:
            return None
        size, at = (int.from_bytes(rest[2:4]), 4) if rest[1] == 126 else (rest[1], 2)
        if len(rest) < at + size:
            return None
        self._rest = rest[at + size :]
        return rest[0] & 0xF, rest[at : at + size]

    def _hear(self, opcode: int, payload: bytes) -> None:
        if opcode == 8:
            assert payload == GAP_CLOSE
            self.leave()
            return
        said = json.loads(payload)
        if "error" in said:
            self.miss(GapNotice(**said))
        elif "id" in said:
            self.take(said["id"], said["text"])
        else:
            assert said == {"epoch": self.epoch, "cursor": self.cursor}


async def _unheard(peer: Peer, text: str) -> None:
    raise AssertionError("nobody speaks here")


def _unbroken(broken: Broken) -> None:
    raise AssertionError("nobody speaks here") from broken
