"""Whatever happens in whatever order, each reader gets each id once and in order, or is told.

Hypothesis makes up the stories and shortens the one that fails. The suite tells a few of each;
`pytest tests/test_delivery.py --hypothesis-profile long` tells thousands.
"""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
)

from demo.durable import DurableFeed
from demo.feed import Entry, Feed
from demo.message import Draft
from demo.publishing import in_memory
from tests.conftest import Clock
from tests.delivery import Ledger, Poller, Reader, Server, Socket

HISTORY = 30
COUNTS = st.sampled_from([1, 2, 20, HISTORY + 1])
SIZES = st.sampled_from([1, 100, 4000])  # of texts: twenty of the last are more than one is given
T = TypeVar("T")
AnyReader = TypeVar("AnyReader", Poller, Socket)


class Story(RuleBasedStateMachine):
    """Publishers with and without keys, readers of every mode and pace, and ends of all kinds."""

    server: Server
    feed: Feed
    append: Callable[[Draft], Awaitable[Entry]]

    pollers = Bundle("pollers")
    sockets = Bundle("sockets")

    def __init__(self) -> None:
        super().__init__()
        self.loop = self.make_loop()
        self.ledger = Ledger()
        self.readers: list[Reader] = []
        self.keyed: dict[str, Entry] = {}
        self.count = 0
        self.tasks: list[asyncio.Task[None]] = []
        self.faults: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.faults.append(context))

    @initialize()
    def begin(self) -> None:
        self.await_(self.start())

    @rule(count=COUNTS, size=SIZES)
    def publish(self, count: int, size: int) -> None:
        for _ in range(count):
            self.acknowledged(self.await_(self.append(self.draft(size))))

    @rule(key=st.sampled_from("ab"))
    def publish_again(self, key: str) -> None:
        entry = self.await_(self.append(self.draft(10, key)))
        known = self.keyed.get(key)
        if known is not None and self.is_known(known, entry):
            assert entry.message == known.message
        else:
            self.keyed[key] = entry
            self.acknowledged(entry)

    @rule(target=pollers, back=st.integers(0, 50))
    def join_by_polling(self, back: int) -> Poller:
        return self.join(Poller(self.ledger, self.feed.epoch, max(0, self.feed.head - back)))

    @rule(target=sockets, back=st.integers(0, 50))
    def join_by_socket(self, back: int) -> Socket:
        reader = self.join(Socket(self.ledger, self.feed.epoch, max(0, self.feed.head - back)))
        self.reopen(reader)
        return reader

    @rule(reader=pollers)
    def poll(self, reader: Poller) -> None:
        self.await_(self.arrive(reader))
        reader.ask(self.server)

    @rule(reader=pollers)
    def hold(self, reader: Poller) -> None:
        if reader.held is None or reader.held.done():
            self.await_(self.arrive(reader))
            reader.held = self.task(reader.hold(self.server))

    @rule(reader=sockets)
    def reopen(self, reader: Socket) -> None:
        self.await_(self.arrive(reader))
        self.task(reader.open(self.server))

    @rule(reader=sockets, size=st.sampled_from([1, 1000, 70_000, 1 << 30]))
    def read(self, reader: Socket, size: int) -> None:
        self.call(reader.read, size)

    @rule(reader=consumes(sockets))
    def leave(self, reader: Socket) -> None:
        self.call(reader.leave)
        self.readers.remove(reader)

    @rule(seconds=st.sampled_from([0.02, 2.5, 26.0]))
    def wait(self, seconds: float) -> None:
        self.await_(self.loop.advance(seconds))

    @rule()
    def begin_anew(self) -> None:
        self.await_(self.renew())
        self.keyed.clear()

    @rule()
    def restart(self) -> None:
        self.await_(self.server.stop())
        self.await_(self.end())
        self.await_(self.start())

    @rule()
    def all_catch_up(self) -> None:
        """Read with patience: then everybody is at the head."""
        self.await_(self.settled())
        for reader in self.readers:
            for _ in range(20):
                if reader.cursor == self.feed.head and reader.epoch == self.feed.epoch:
                    break
                self.read_on(reader)
            assert (reader.epoch, reader.cursor) == (self.feed.epoch, self.feed.head)

    @invariant()
    def the_history_is_bounded(self) -> None:
        assert len(list(self.feed.after(self.feed.oldest - 1))) <= HISTORY

    @invariant()
    def nothing_has_failed(self) -> None:
        assert self.faults == []
        for task in [task for task in self.tasks if task.done()]:
            self.tasks.remove(task)
            task.result()

    def teardown(self) -> None:
        self.await_(self.close())
        self.await_(self.loop.advance(60))  # whatever waits for a reader has given it up
        assert not asyncio.all_tasks(self.loop)
        self.loop.close()

    # What the kinds of feed have of their own

    def make_loop(self) -> Any:
        """Make a loop whose time the story moves."""
        return Clock()

    async def start(self) -> None:
        """Start a server of a feed in memory, which has lost all."""
        self.serve(Feed(HISTORY))
        self.append = in_memory(self.feed)
        self.keyed.clear()

    async def end(self) -> None:
        """End it."""

    async def renew(self) -> None:
        """Begin another epoch."""
        self.feed.restart()

    async def close(self) -> None:
        """End all there is."""
        await self.server.stop()
        await self.end()

    async def arrive(self, reader: Reader) -> None:
        """Let a reader come to the server."""

    async def settled(self) -> None:
        """Wait until what was published is there."""

    def is_known(self, known: Entry, entry: Entry) -> bool:
        """Say whether a message that came again with its key must be what it was."""
        return known.message.id >= self.feed.oldest

    # Helpers

    def serve(self, feed: Feed) -> None:
        self.feed = feed
        self.server = Server(feed)

    def draft(self, size: int, key: str | None = None) -> Draft:
        self.count += 1
        return Draft("ada", f"{self.count} ".ljust(size, "x"), key=key)

    def acknowledged(self, entry: Entry) -> None:
        message = entry.message
        assert message.id == self.feed.head
        self.ledger.check(self.feed.epoch, message.id, message.text)

    def join(self, reader: AnyReader) -> AnyReader:
        self.readers.append(reader)
        return reader

    def read_on(self, reader: Reader) -> None:
        if isinstance(reader, Poller):
            self.poll(reader)
            return
        assert isinstance(reader, Socket)
        if reader.line is None or reader.line.is_closing():
            self.reopen(reader)
        self.call(reader.read, 1 << 30)
        self.await_(self.loop.advance(0.02))

    def await_(self, awaitable: Awaitable[T]) -> T:
        async def await_and_settle() -> T:
            result = await awaitable
            await self.loop.settle()
            return result

        result: T = self.loop.run_until_complete(await_and_settle())
        return result

    def call(self, what: Any, *arguments: object) -> None:
        async def call() -> None:
            what(*arguments)

        self.await_(call())

    def task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task: asyncio.Task[None] = self.loop.create_task(work)
        self.tasks.append(task)
        self.await_(self.loop.settle())
        return task


class DurableStory(Story):
    """The same in a file, which outlives every end, also a sudden one."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.known: tuple[str, int] | None = None

    async def start(self) -> None:
        self.durable = DurableFeed(Path(self.folder.name) / "feed.db", HISTORY, print)
        await self.durable.start()
        self.serve(self.durable.feed)
        self.append = self.durable.append
        if self.known is not None:
            epoch, head = self.known
            assert self.feed.epoch == epoch
            assert self.feed.head >= head

    async def end(self) -> None:
        self.known = self.feed.epoch, self.feed.head
        await self.durable.stop()

    async def renew(self) -> None:
        await self.durable.restart()

    @rule(count=st.integers(0, 5), turns=st.integers(0, 5))
    def die(self, count: int, turns: int) -> None:
        """End suddenly, with messages on their way of which nobody was told."""
        self.await_(self.server.stop())
        self.await_(self.crash(count, turns))
        self.await_(self.start())

    async def crash(self, count: int, turns: int) -> None:
        self.known = self.feed.epoch, self.feed.head
        durable = self.durable
        for _ in range(count):
            durable.publish(self.draft(10))
        for _ in range(turns):
            await asyncio.sleep(0)
        assert durable.tail is not None
        durable.tail.cancel()
        await asyncio.wait([durable.tail])
        await durable._on_disk(durable._disk.close)
        durable._thread.end()

    def teardown(self) -> None:
        super().teardown()
        self.folder.cleanup()


MANY = settings().max_examples
DOSE = settings(max_examples=MANY if MANY > 100 else 6, stateful_step_count=25)
TestStory = Story.TestCase
TestStory.settings = DOSE
TestDurableStory = DurableStory.TestCase
TestDurableStory.settings = DOSE
