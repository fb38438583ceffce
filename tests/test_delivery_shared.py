"""The stories of test_delivery.py, told by two servers that share a feed in a real Redis."""

import asyncio
import contextlib

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import rule, run_state_machine_as_test

from demo.feed import Entry
from demo.message import Draft
from demo.shared import SharedFeed
from tests.conftest import Clock, until
from tests.delivery import Reader, Server
from tests.redis_servers import RedisServer
from tests.test_delivery import HISTORY, MANY, Story

DOSE = settings(max_examples=MANY // 10 if MANY > 100 else 4, stateful_step_count=20)


class Hurried(asyncio.SelectorEventLoop):
    """A loop in real time, since Redis lives there, on which nobody waits for long."""

    settle = Clock.settle

    async def advance(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.03))


class SharedStory(Story):
    """Two servers, each of which may end, and readers that go from one to the other."""

    redis: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self.houses: list[tuple[SharedFeed, Server]] = []
        self.at = 0

    def make_loop(self) -> Hurried:
        return Hurried()

    @rule(at=st.integers(0, 1))
    def go(self, at: int) -> None:
        """Have all who come from now on come to this server."""
        self.at = at
        self.shared, self.server = self.houses[at]
        self.feed = self.shared.feed

    async def start(self) -> None:
        if not self.houses:
            self.redis.command("FLUSHALL")
        while len(self.houses) < 2:
            shared = SharedFeed(self.redis.url, HISTORY, print)
            await shared.start()
            self.houses.insert(self.at, (shared, Server(shared.feed)))
        self.append = self.append_here
        self.go(self.at)

    async def end(self) -> None:
        self.houses.pop(self.at)
        await self.shared.stop()

    async def close(self) -> None:
        while self.houses:
            self.go(len(self.houses) - 1)
            await super().close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()  # farewells, which take 2 s
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def renew(self) -> None:
        """Let Redis lose all."""
        old = self.feed.epoch
        self.redis.command("FLUSHALL")
        entry = await self.shared.append(self.draft(1))
        await until(lambda: all(shared.feed.epoch != old for shared, _ in self.houses))
        await self.there(entry)
        self.acknowledged(entry)

    async def append_here(self, draft: Draft) -> Entry:
        entry = await self.shared.append(draft)
        await self.there(entry)
        return entry

    async def there(self, entry: Entry) -> None:
        await until(lambda: self.feed.head >= entry.message.id)

    async def arrive(self, reader: Reader) -> None:
        await self.shared.meet(reader.cursor, reader.epoch)

    async def settled(self) -> None:
        feeds = [shared.feed for shared, _ in self.houses]
        await until(lambda: len({(feed.epoch, feed.head) for feed in feeds}) == 1)

    def is_known(self, known: Entry, entry: Entry) -> bool:
        # Redis may keep a key for somewhat longer than its message can be read.
        return super().is_known(known, entry) or known.message.id == entry.message.id


def test_each_reader_gets_each_id_once_and_in_order_from_whichever_server(
    redis: RedisServer,
) -> None:
    SharedStory.redis = redis
    run_state_machine_as_test(SharedStory, settings=DOSE)
