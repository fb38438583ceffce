"""A feed that outlives its server, in a file: follow what is published, read it from memory.

What is published is written first and entered in the `Feed` when it is on disk. Messages that come
while others are being written share the next commit, so a slow disk takes many at once.

`published_ns` is the stamp of the time before the disk had the message. The clock is that of the
machine since it was started: stamps from before that cannot be compared with later ones.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from demo.asked import Asked
from demo.disk import Disk, Row
from demo.feed import Away, Entry, Feed
from demo.keys import Keys
from demo.message import Draft
from demo.outage import Outage
from demo.promises import heard, unheard
from demo.thread import Thread

ANSWER_S = 10.0  # a disk that takes longer has not confirmed
STOP_S = 1.0  # and one that takes so long when all is to end is not waited for
MOST_WAITING = 10_000  # drafts that a slow disk may keep waiting
BATCH = 250  # messages written at once: entering them holds up everything else

T = TypeVar("T")


class DurableFeed:
    """Keep `feed` as the file at `path` is; `say` is told when that takes nothing, and does again.

    Writing ends only when it is stopped, or by a fault of this program.
    """

    def __init__(
        self,
        path: Path,
        history: int,
        say: Callable[[str], None],
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.feed = Feed(history)
        self.tail: asyncio.Task[None] | None = None
        self._disk = Disk(path)
        self._thread = Thread("disk")
        self._outage = Outage(say)
        self._clock = clock
        self._keys = Keys(self.feed)
        self._waiting: list[Asked] = []
        self._named: dict[tuple[str, str], Asked] = {}  # those of them that have a key
        self._turn = asyncio.Lock()
        self._news = asyncio.Event()
        self._restarting: asyncio.Task[None] | None = None
        self._ends = False

    async def start(self) -> None:
        """Read what the file has, and write to it from now on; raise Away if it cannot be had."""
        try:
            epoch, rows = await self._on_disk(self._disk.open, self.feed.history)
        except BaseException:
            self._thread.end()
            raise
        self.feed.restart(epoch, rows[0][0].id - 1 if rows else 0)
        for message, key in rows:
            self._keys.keep(Draft(message.sender, message.text, key=key), self.feed.enter(message))
        self.tail = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Write what still waits, and close the file; raise what has ended the writing before.

        Raises Away when the disk takes too long. What waits then was not acknowledged.
        """
        assert self.tail is not None
        self._ends = True
        self._news.set()
        try:
            async with asyncio.timeout(STOP_S):
                await asyncio.wait([self.tail, *filter(None, [self._restarting])])
                await self._on_disk(self._disk.close)
        except TimeoutError:
            self.tail.cancel()
            line = f"{self._disk.path}: the disk has not answered for {STOP_S:g} s"
            raise Away(f"{line}: what it has not confirmed may be in the feed or not") from None
        finally:
            self._thread.end()
        self.tail.result()

    async def append(self, draft: Draft) -> Entry:
        """Append a message; return it once it is on disk, and raise Away if that is not certain.

        A draft whose key is known returns what the first of that key has become.
        """
        known = self._keys.find(draft)
        if known is not None:
            return known
        if len(self._waiting) >= MOST_WAITING:
            raise Away("the disk does not keep up: try again later")
        asked = self._ask(draft)
        asked.asking += 1
        try:
            async with asyncio.timeout(ANSWER_S):
                return await heard(asked.entry)
        except TimeoutError:
            if asked.asking == 1 and self._withdraw(asked):
                raise Away("the disk does not answer, nothing was written: try again") from None
            line = "the disk has not confirmed the message, which may be in the feed or not"
            raise Away(f"{line}: try again") from None
        finally:
            asked.asking -= 1

    def publish(self, draft: Draft) -> None:
        """Append a message of which nobody waits to hear; drop it if the disk does not keep up."""
        if len(self._waiting) < MOST_WAITING:
            self._ask(draft).asking += 1

    async def restart(self) -> None:
        """Let the feed begin anew, on disk too; raise Away if that cannot be written.

        It is done even if who asks for it goes away: memory and disk must agree.
        """
        self._restarting = asyncio.create_task(self._restart())
        self._restarting.add_done_callback(unheard)
        await heard(self._restarting)

    async def _restart(self) -> None:
        async with self._turn:
            epoch = secrets.token_hex(4)
            await self._on_disk(self._disk.restart, epoch)
            self.feed.restart(epoch)

    def _ask(self, draft: Draft) -> Asked:
        """Let a draft wait for the disk, unless one of its key does already."""
        asked = Asked(draft, self._clock())
        if draft.key is not None:
            first = self._named.setdefault((draft.sender, draft.key), asked)
            if first is not asked:
                return first
        self._waiting.append(asked)
        self._news.set()
        return asked

    def _withdraw(self, asked: Asked) -> bool:
        """Write a draft not at all, if that is not under way; say whether so."""
        try:
            self._waiting.remove(asked)
        except ValueError:
            return False
        if asked.draft.key is not None:
            del self._named[asked.draft.sender, asked.draft.key]
        return True

    async def _write(self) -> None:
        """Write whatever comes until all is to end."""
        while self._waiting or not self._ends:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
                async with self._turn:
                    await self._commit(batch)

    async def _commit(self, batch: list[Asked]) -> None:
        messages = [asked.message(self.feed.head + n) for n, asked in enumerate(batch, 1)]
        rows: list[Row] = [
            (message, asked.draft.key) for message, asked in zip(messages, batch, strict=True)
        ]
        oldest = messages[-1].id - self.feed.history + 1
        try:
            await self._on_disk(self._disk.append, rows, oldest)
        except Away as away:
            self._refuse(batch, away)
            return
        self._outage.end(f"{self._disk.path}: messages are written again")
        for asked, message in zip(batch, messages, strict=True):
            entry = self.feed.enter(message)
            self._keys.keep(asked.draft, entry)
            self._forget(asked)
            asked.entry.set_result(entry)

    def _refuse(self, batch: list[Asked], away: Away) -> None:
        line = f"{self._disk.path}: {away}"
        self._outage.begin(f"{line}: who publishes gets a 503, who reads reads on")
        for asked in batch:
            self._forget(asked)
            asked.entry.set_exception(Away(f"{away}: try again later"))

    def _forget(self, asked: Asked) -> None:
        """Let a draft wait no more: if it comes again, it is found by its key, or is another."""
        if asked.draft.key is not None:
            del self._named[asked.draft.sender, asked.draft.key]

    async def _on_disk(self, call: Callable[..., T], *arguments: object) -> T:
        return await self._thread.call(call, *arguments)
