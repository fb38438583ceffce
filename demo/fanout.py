"""Fan-out by cursor: write each WebSocket, in one write, all it has not had yet.

A publish does not send. It wakes one task, which goes round the sockets and writes to each the
frames from its cursor to the head. Under load several messages share a system call, and a slow
reader costs a number: its cursor stays behind, and nobody waits for it.
"""

import asyncio
from collections.abc import Callable

from demo.answers import MAX_ANSWERS
from demo.feed import Entry, Feed, Gap
from demo.listener import Listener, tell_gap

TURN = 250  # sockets written before other requests get a turn
FULL_BYTES = 64 * 1024  # a socket with more than this unsent is not given more
RETRY_S = 0.02  # pause before a slow socket is tried again, news or not


class Fanout:
    """Push a feed to its listeners, each message in the bytes that `frame` gives it."""

    def __init__(self, feed: Feed, frame: Callable[[Entry], bytes]) -> None:
        self._feed = feed
        self._frame = frame
        self._listeners: set[Listener] = set()
        self._behind: set[Listener] = set()
        self._farewells: set[asyncio.Task[None]] = set()
        self._chunks: dict[int, tuple[bytes, int]] = {}
        self._head = feed.head
        self._epoch = feed.epoch
        self._timer: asyncio.TimerHandle | None = None

    def add(self, listener: Listener) -> None:
        """Write what the listener has missed, and all that comes."""
        self._end_old_epoch()
        self._listeners.add(listener)
        self._push((listener,))

    def discard(self, listener: Listener) -> None:
        """Forget a listener whose connection is gone."""
        self._listeners.discard(listener)
        self._behind.discard(listener)

    @property
    def behind(self) -> int:
        """How many listeners have not been given all there is, since they do not take it."""
        return len(self._behind)

    async def run(self) -> None:
        """Push for ever; ends when the feed closes."""
        while not self._feed.closed:
            head, epoch = self._feed.head, self._feed.epoch
            await self._round()
            if self._feed.epoch == epoch:  # else `head` was another history's
                await self._feed.news(head)

    async def _round(self) -> None:
        # What arrives during a round goes out in it, to those not yet reached; a pause shows
        # that the head moved, and the next round serves the others.
        self._end_old_epoch()
        listeners, epoch = tuple(self._listeners), self._epoch
        for first in range(0, len(listeners), TURN):
            self._push(listeners[first : first + TURN])
            await asyncio.sleep(0)
            self._end_old_epoch()
            if self._epoch != epoch:
                return

    def _push(self, listeners: tuple[Listener, ...]) -> None:
        # The hot path. Nothing else runs meanwhile, so the head stands still, and most listeners
        # stand where the one before them stood.
        head = self._feed.head
        stand, chunk, reached = head, b"", head
        for listener in listeners:
            cursor = listener.cursor
            if cursor == head or listener.ws.closed or listener.is_closing():
                continue
            if listener.unsent_bytes() > FULL_BYTES:
                self._leave_behind(listener)
                continue
            if cursor != stand:
                try:
                    chunk, reached = self._chunk(cursor)
                except Gap as gap:
                    self._tell(listener, gap)
                    continue
                stand = cursor
            listener.write(chunk)
            listener.cursor = reached
            tally = listener.tally
            tally.deliveries += reached - cursor
            tally.bytes_out += len(chunk)
            if reached == head:
                self._behind.discard(listener)
            else:
                self._retry_soon(listener)

    def _chunk(self, cursor: int) -> tuple[bytes, int]:
        """Return frames from `cursor` on, as many as a socket is given at once, and the last id."""
        if self._head != self._feed.head:
            self._head = self._feed.head
            self._chunks.clear()
        if cursor not in self._chunks:
            if len(self._chunks) >= MAX_ANSWERS:
                self._chunks.clear()
            self._chunks[cursor] = self._join(cursor)
        return self._chunks[cursor]

    def _join(self, cursor: int) -> tuple[bytes, int]:
        chunk = bytearray()
        for entry in self._feed.after(cursor):
            chunk += self._frame(entry)
            cursor = entry.message.id
            if len(chunk) > FULL_BYTES:
                break
        return bytes(chunk), cursor

    def _leave_behind(self, listener: Listener) -> None:
        self._retry_soon(listener)
        try:
            self._feed.check(listener.cursor)
        except Gap as gap:
            self._tell(listener, gap)

    def _retry_soon(self, listener: Listener) -> None:
        self._behind.add(listener)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(RETRY_S, self._retry)

    def _retry(self, behind: tuple[Listener, ...] = ()) -> None:
        """Try the listeners again that are behind, in turns; again later, if some still are."""
        self._end_old_epoch()
        if self._feed.closed:
            return
        behind = behind or tuple(self._behind)
        self._push(tuple(each for each in behind[:TURN] if each in self._behind))
        loop = asyncio.get_running_loop()
        if len(behind) > TURN:
            loop.call_soon(self._retry, behind[TURN:])
        else:
            self._timer = loop.call_later(RETRY_S, self._retry) if self._behind else None

    def _end_old_epoch(self) -> None:
        """Tell all listeners of an epoch that has ended: no cursor of theirs means anything now."""
        if self._epoch == self._feed.epoch:
            return
        self._chunks.clear()
        try:
            self._feed.check(0, self._epoch)
        except Gap as gap:
            for listener in tuple(self._listeners):
                self._tell(listener, gap)
        self._epoch = self._feed.epoch

    def _tell(self, listener: Listener, gap: Gap) -> None:
        self.discard(listener)
        task = asyncio.create_task(tell_gap(listener, self._feed, gap))
        self._farewells.add(task)
        task.add_done_callback(self._farewells.discard)
