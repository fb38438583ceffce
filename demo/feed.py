"""The feed: an append-only log of messages, read by cursor. No network here.

Every message gets the next integer id. A reader is a cursor, the id of the last message it has,
and every mode is the same read, `after(cursor)`; the modes differ only in when they answer.
"""

import asyncio
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator

import msgspec

from demo.frames import text_frame
from demo.message import Draft, Message, encode

DEFAULT_HISTORY = 10_000
TURN = 500  # held polls woken before others get a turn: 15 ms of work, and what they ask next


class Gap(LookupError):
    """The cursor cannot be read on from: older than the history, beyond the head, or foreign."""


class Away(Exception):
    """A shared log cannot be had: what was to be appended may be in it, or may not."""


class Entry(msgspec.Struct, frozen=True):
    """A message with its JSON and its WebSocket frame, built once for every reader."""

    message: Message
    json: bytes
    frame: bytes

    @classmethod
    def of(cls, message: Message) -> "Entry":
        """Build what every reader gets of a message."""
        json = encode(message)
        return cls(message, json, text_frame(json))


class Feed:
    """Keep the last `history` messages and wake whoever waits for the next one.

    `epoch` names this history: a cursor of another epoch means nothing here.
    """

    def __init__(
        self,
        history: int = DEFAULT_HISTORY,
        *,
        epoch: str | None = None,
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        if history < 1:
            raise ValueError(f"the history must hold at least 1 message, not {history}")
        self.history = history
        self.epoch = secrets.token_hex(4) if epoch is None else epoch
        self.head = 0
        self.closed = False
        self._clock = clock
        self._ring: list[Entry] = []  # message i stands at (i - 1 - before) % history
        self._before = 0
        self._waiting: dict[asyncio.Future[bool], None] = {}  # who came first is woken first
        self._called: deque[asyncio.Future[bool]] = deque()  # there is news, and their turn comes
        self._first: dict[asyncio.Future[bool], None] = {}  # a fan-out, of which many hear

    @property
    def oldest(self) -> int:
        """The id of the oldest message that can still be read; head + 1 when there is none."""
        return self.head - len(self._ring) + 1

    def publish(self, draft: Draft) -> Entry:
        """Append a message and wake every reader that waits for it."""
        now = self._clock()
        sent = now if draft.sent_ns is None else draft.sent_ns
        return self.enter(Message(self.head + 1, draft.sender, draft.text, sent, now))

    def enter(self, message: Message) -> Entry:
        """Append a message that has its id, which must be the next, and wake the readers."""
        entry = Entry.of(message)
        if len(self._ring) < self.history:
            self._ring.append(entry)
        else:
            self._ring[(self.head - self._before) % self.history] = entry
        self.head += 1
        self._wake()
        return entry

    def restart(self, epoch: str | None = None, head: int = 0) -> None:
        """Begin anew, with no history, after `head`; wake all who wait in the old one.

        Without an `epoch` it gets one of its own.
        """
        self.epoch = secrets.token_hex(4) if epoch is None else epoch
        self.head = self._before = head
        self._ring = []
        self._wake()

    def after(self, cursor: int) -> Iterator[Entry]:
        """Yield the entries with ids above `cursor`, oldest first; raise Gap if any is gone.

        To be taken before the feed moves on: all at once, or as many as are wanted.
        """
        self.check(cursor)
        places = range(cursor - self._before, self.head - self._before)
        return (self._ring[place % self.history] for place in places)

    def check(self, cursor: int, epoch: str | None = None) -> None:
        """Raise Gap unless a reader at `cursor`, who knows `epoch`, can read on."""
        if epoch is not None and epoch != self.epoch:
            raise Gap(f"epoch {epoch!r} has ended, this is {self.epoch}: {self._way_on}")
        if cursor > self.head:
            raise Gap(f"cursor {cursor} is beyond the head, {self.head}: {self._way_on}")
        if cursor < self.oldest - 1:
            raise Gap(f"the history now starts at {self.oldest}: {self._way_on}")

    async def news(self, cursor: int, hold_s: float | None = None) -> None:
        """Wait until there is something after `cursor`, or this epoch or the feed has ended.

        With a hold, no longer than `hold_s`; without one, ahead of all who have one.
        """
        epoch, loop = self.epoch, asyncio.get_running_loop()
        end_s = None if hold_s is None else loop.time() + hold_s
        while self.head <= cursor and self.epoch == epoch and not self.closed:
            waiter = loop.create_future()
            (self._first if end_s is None else self._waiting)[waiter] = None
            timer = None if end_s is None else loop.call_at(end_s, _release, waiter, False)
            try:
                if not await waiter:
                    return
            finally:
                (self._first if end_s is None else self._waiting).pop(waiter, None)
                if timer is not None:
                    timer.cancel()

    def close(self) -> None:
        """Wake every waiting reader for good: there will be no more news."""
        self.closed = True
        for waiter in (*self._first, *self._called, *self._waiting):  # others need no turn now
            _release(waiter, True)

    @property
    def _way_on(self) -> str:
        return f"read on with after={self.oldest - 1}"

    def _wake(self) -> None:
        # Whoever waits next waits among others, so a publish wakes all that wait now, and none of
        # them twice. One future for each: to cancel one that many await would cancel them all.
        first, self._first = self._first, {}
        for waiter in first:
            _release(waiter, True)
        waking = bool(self._called)
        self._called.extend(self._waiting)
        self._waiting = {}
        if not waking:
            self._call()

    def _call(self) -> None:
        """Wake some, and the rest when the event loop has come round: others ask meanwhile."""
        for _ in range(min(TURN, len(self._called))):
            _release(self._called.popleft(), True)
        if self._called:
            self._called[0].get_loop().call_soon(self._call)


def _release(waiter: asyncio.Future[bool], news: bool) -> None:
    if not waiter.done():
        waiter.set_result(news)
