"""A feed in a file: what is acknowledged is there after any end, and what a sick disk costs."""

import asyncio
import contextlib
import gc
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import pytest
from aiohttp import ClientSession

from demo.app import Settings
from demo.classroom.classroom import CLASSROOM
from demo.disk import Disk, Row
from demo.durable import ANSWER_S, MOST_WAITING, STOP_S, DurableFeed
from demo.feed import Away
from demo.message import Draft, Message
from tests.conftest import Clock, Refusal, Serve, Server, StartDemo, StartServer, until
from tests.hoppers import MODES, Hopper, Publisher, catch_up, check

WRITES_NOTHING = (
    "the message could not be written (database or disk is full): "
    "who publishes gets a 503, who reads reads on"
)
TOKEN = {"Authorization": "Bearer teacher"}
FREE = Settings(publish_per_s=0, token="teacher")

Start = Callable[..., Awaitable[Server]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feed.db"


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def make(path: Path, said: list[str]) -> Callable[..., DurableFeed]:
    """Make a feed that is kept at `path`."""
    return lambda history=100: DurableFeed(path, history, said.append)


@pytest.fixture
def start(start_server: StartServer, make: Callable[..., DurableFeed]) -> Start:
    """Start a server whose feed is kept at `path`."""

    async def start_durable(history: int = 100) -> Server:
        return await start_server(FREE, durable=make(history))

    return start_durable


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


class HeldDisk:
    """A disk that writes when it is let, and says how many messages each commit had."""

    def __init__(self, durable: DurableFeed) -> None:
        self.sizes: list[int] = []
        self._lets = threading.Event()
        self._append = durable._disk.append
        durable._disk.append = self  # type: ignore[method-assign, assignment]

    def __call__(self, rows: list[Row], oldest: int) -> None:
        self.sizes.append(len(rows))
        assert self._lets.wait(30)
        self._append(rows, oldest)

    def let(self) -> None:
        self._lets.set()


@contextlib.asynccontextmanager
async def running(durable: DurableFeed) -> AsyncIterator[DurableFeed]:
    """Run a feed without a server."""
    await durable.start()
    try:
        yield durable
    finally:
        await durable.stop()


@contextlib.asynccontextmanager
async def hanging(make: Callable[..., DurableFeed]) -> AsyncIterator[tuple[DurableFeed, HeldDisk]]:
    """Run a feed whose disk writes when it is let."""
    durable = make()
    held = HeldDisk(durable)
    async with running(durable):
        yield durable, held


async def post(http: ClientSession, url: str, text: str, **more: object) -> int:
    """Publish a text that must be taken; return its id."""
    async with http.post(f"{url}/messages", json={"sender": "ada", "text": text, **more}) as answer:
        assert answer.status == 201, await answer.text()
        return int((await answer.json())["id"])


async def refusal(http: ClientSession, url: str, text: str) -> str:
    """Publish a text that cannot be written; return why."""
    async with http.post(f"{url}/messages", json={"sender": "ada", "text": text}) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "1"
        return str((await answer.json())["error"])


async def texts(http: ClientSession, url: str, query: str = "after=0") -> list[str]:
    async with http.get(f"{url}/short-poll?{query}") as answer:
        assert answer.status == 200
        return [message["text"] for message in (await answer.json())["messages"]]


def rows(path: Path, query: str = "SELECT id FROM messages ORDER BY id") -> list[int]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return [row[0] for row in db.execute(query)]


# Restarts


async def test_a_server_that_starts_again_has_the_messages_as_they_were(
    start: Start, http: ClientSession
) -> None:
    first = await start()
    for text in ("one", "zwei €😀\n\tdrei"):
        await post(http, first.url, text, sent_ns=7)
    before = [entry.json for entry in first.feed.after(0)]
    await first.stop()
    second = await start()
    assert [entry.json for entry in second.feed.after(0)] == before
    assert second.feed.epoch == first.feed.epoch
    assert await post(http, second.url, "three") == 3


@pytest.mark.parametrize("mode", MODES)
async def test_a_reader_goes_on_from_its_cursor(
    start: Start, http: ClientSession, mode: str
) -> None:
    first = await start()
    await post(http, first.url, "one")
    reader = Hopper(mode, [first.url], http, random.Random(1))
    await reader.read_to(1)
    await post(http, first.url, "two")
    await first.stop()
    second = await start()
    await post(http, second.url, "three")
    reader.urls = [second.url]
    await reader.read_to(3)
    assert (reader.ids, reader.gaps) == ([1, 2, 3], [])


async def test_nothing_acknowledged_is_lost_when_the_server_is_killed_while_it_is_written_to(
    start_demo: StartDemo, path: Path, http: ClientSession
) -> None:
    options = ("--feed", f"sqlite:///{path}", "--publish-rate", "0")
    demo = start_demo(*options)
    chance = random.Random(3)
    readers = [Hopper(mode, [demo.url], http, random.Random(chance.random())) for mode in MODES]
    publishers = [Publisher([demo.url], http, random.Random(chance.random())) for _ in range(8)]
    reading = [asyncio.create_task(reader.read_to(1 << 53)) for reader in readers]
    for kill in range(3):
        names = [[f"{kill}/{n}/{i}" for i in range(20)] for n in range(len(publishers))]
        taken = sum(len(publisher.taken) for publisher in publishers)
        work = [
            asyncio.create_task(publisher.publish(each))
            for publisher, each in zip(publishers, names, strict=True)
        ]
        await until(lambda: sum(len(p.taken) for p in publishers) > taken + 60)  # noqa: B023
        await asyncio.to_thread(demo.stop, signal.SIGKILL)
        demo = await asyncio.to_thread(start_demo, *options, port=demo.port)
        await asyncio.gather(*work)
    head = max(max(publisher.taken) for publisher in publishers)
    last = await catch_up(readers, reading, head)
    assert len({reader.epoch for reader in readers}) == 1
    check(readers, publishers)
    demo.stop()
    assert rows(path) == list(range(1, last + 1))


async def test_what_waits_for_the_disk_is_written_before_the_end(
    make: Callable[..., DurableFeed],
) -> None:
    durable = make()
    await durable.start()
    held = HeldDisk(durable)
    for number in range(3):
        durable.publish(Draft("ada", f"text {number}"))
    await until(lambda: bool(held.sizes))
    ending = asyncio.create_task(durable.stop())
    held.let()
    await ending
    async with running(make()) as again:
        assert [entry.message.text for entry in again.feed.after(0)] == [
            "text 0",
            "text 1",
            "text 2",
        ]


# What is on disk, and what is not yet


async def test_a_message_is_acknowledged_and_shown_when_it_is_on_disk_and_not_before(
    start_server: StartServer, make: Callable[..., DurableFeed], http: ClientSession
) -> None:
    durable = make()
    held = HeldDisk(durable)
    server = await start_server(FREE, durable=durable)
    ws = await http.ws_connect(f"{server.url}/ws")
    await ws.receive_json()
    posting = asyncio.create_task(post(http, server.url, "hi"))
    await until(lambda: bool(held.sizes))
    async with http.get(f"{server.url}/short-poll?after=0") as response:
        assert response.status == 204
    assert not posting.done()
    held.let()
    assert await posting == 1
    assert (await ws.receive_json())["text"] == "hi"
    assert await texts(http, server.url) == ["hi"]


async def test_messages_that_come_during_a_commit_share_the_next(
    make: Callable[..., DurableFeed],
) -> None:
    async with hanging(make) as (durable, held):
        appending = [asyncio.create_task(durable.append(Draft("ada", "first")))]
        await until(lambda: held.sizes == [1])
        appending += [asyncio.create_task(durable.append(Draft("ada", str(n)))) for n in range(50)]
        await until(lambda: len(durable._waiting) == 50)
        held.let()
        entries = await asyncio.gather(*appending)
    assert held.sizes == [1, 50]
    assert [entry.message.id for entry in entries] == list(range(1, 52))


async def test_every_commit_is_synced(make: Callable[..., DurableFeed]) -> None:
    async with running(make()) as durable:
        assert durable._disk._db is not None
        asking = await durable._on_disk(durable._disk._db.execute, "PRAGMA synchronous")
        assert await durable._on_disk(asking.fetchone) == (2,)


async def test_the_history_is_bounded_in_memory_and_on_disk(
    start: Start, path: Path, http: ClientSession
) -> None:
    server = await start(history=5)
    for number in range(1, 21):
        await post(http, server.url, str(number))
    assert server.feed.oldest == 16
    await server.stop()
    assert rows(path) == [16, 17, 18, 19, 20]


async def test_a_smaller_history_is_cut_with_the_next_message(
    start: Start, path: Path, http: ClientSession
) -> None:
    server = await start()
    for number in range(1, 11):
        await post(http, server.url, str(number))
    await server.stop()
    server = await start(history=3)
    assert (server.feed.oldest, server.feed.head) == (8, 10)
    assert await post(http, server.url, "eleven") == 11
    await server.stop()
    assert rows(path) == [9, 10, 11]


async def test_a_publisher_that_has_gone_does_not_disturb_the_others(
    make: Callable[..., DurableFeed],
) -> None:
    async with hanging(make) as (durable, held):
        appending = [asyncio.create_task(durable.append(Draft("ada", text))) for text in "abc"]
        await until(lambda: bool(held.sizes))
        appending[1].cancel()
        held.let()
        await asyncio.wait(appending)
        assert [entry.message.text for entry in durable.feed.after(0)] == ["a", "b", "c"]
    assert appending[2].result().message.id == 3


async def test_a_disk_that_does_not_answer_is_no_answer_for_ever(
    clock: Clock, make: Callable[..., DurableFeed]
) -> None:
    async with hanging(make) as (durable, held):
        appending = asyncio.create_task(durable.append(Draft("ada", "hi")))
        await until(lambda: bool(held.sizes))
        await clock.advance(ANSWER_S + 0.1)
        with pytest.raises(Away, match="may be in the feed or not: try again"):
            await appending
        held.let()
        await until(lambda: durable.feed.head == 1)


async def test_what_a_hanging_disk_has_not_begun_to_write_is_refused_and_never_written(
    clock: Clock, make: Callable[..., DurableFeed]
) -> None:
    drafts = [Draft("ada", text, key=key) for text, key in (("a", None), ("b", None), ("c", "k"))]
    async with hanging(make) as (durable, held):
        appending = [asyncio.create_task(durable.append(drafts[0]))]
        await until(lambda: held.sizes == [1])
        appending += [asyncio.create_task(durable.append(draft)) for draft in drafts[1:]]
        await clock.advance(ANSWER_S / 2)
        sharing = asyncio.create_task(durable.append(drafts[2]))
        await clock.advance(ANSWER_S / 2 + 0.1)
        ends = await asyncio.gather(*appending, return_exceptions=True)
        doubt = ["nothing was written" in str(end) for end in ends]
        assert doubt == [False, True, False]  # the last is still to be written, for another
        held.let()
        assert (await sharing).message.id == 2
        assert [entry.message.text for entry in durable.feed.after(0)] == ["a", "c"]


async def test_a_key_whose_draft_was_refused_is_free(
    clock: Clock, make: Callable[..., DurableFeed]
) -> None:
    async with hanging(make) as (durable, held):
        durable.publish(Draft("ada", "first"))
        await until(lambda: bool(held.sizes))
        refused = asyncio.create_task(durable.append(Draft("ada", "hi", key="k")))
        await clock.advance(ANSWER_S + 0.1)
        with pytest.raises(Away, match="nothing was written"):
            await refused
        again = asyncio.create_task(durable.append(Draft("ada", "hi", key="k")))
        held.let()
        assert (await again).message.id == 2


async def test_a_hanging_disk_that_fails_at_last_is_no_error_of_those_who_gave_up(
    clock: Clock, make: Callable[..., DurableFeed]
) -> None:
    unheard: list[dict[str, Any]] = []
    clock.set_exception_handler(lambda _, context: unheard.append(context))
    durable, fails = make(), threading.Event()

    def fail(*_: object) -> NoReturn:
        fails.wait(30)
        raise Away("the disk has failed")

    for call in ("append", "restart"):
        setattr(durable._disk, call, fail)
    async with running(durable):
        gave_up: list[asyncio.Task[Any]] = [asyncio.create_task(durable.append(Draft("ada", "hi")))]
        await clock.settle()
        gave_up.append(asyncio.create_task(durable.restart()))
        await clock.settle()
        gave_up[1].cancel()
        await clock.advance(ANSWER_S + 0.1)
        await asyncio.gather(*gave_up, return_exceptions=True)
        fails.set()
    del durable
    gc.collect()
    assert unheard == []


async def test_nobody_waits_to_hear_of_more_than_a_slow_disk_can_take(
    make: Callable[..., DurableFeed],
) -> None:
    async with hanging(make) as (durable, held):
        durable.publish(Draft("ada", "first"))
        await until(lambda: bool(held.sizes))
        for _ in range(MOST_WAITING + 1):
            durable.publish(Draft("ada", "hi"))
        assert len(durable._waiting) == MOST_WAITING
        durable._waiting.clear()
        held.let()


async def test_a_disk_that_does_not_keep_up_makes_no_queue_without_end(
    make: Callable[..., DurableFeed], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.durable.MOST_WAITING", 2)
    async with hanging(make) as (durable, held):
        durable.publish(Draft("ada", "being written"))
        await until(lambda: bool(held.sizes))
        for _ in range(2):
            durable.publish(Draft("ada", "waiting"))
        with pytest.raises(Away, match="the disk does not keep up: try again later"):
            await durable.append(Draft("ada", "too much"))
        held.let()
        await until(lambda: durable.feed.head == 3)
        assert (await durable.append(Draft("ada", "in time"))).message.id == 4


async def test_a_disk_that_hangs_does_not_hold_the_end_up(
    clock: Clock, make: Callable[..., DurableFeed]
) -> None:
    durable = make()
    await durable.start()
    held = HeldDisk(durable)
    appending = asyncio.create_task(durable.append(Draft("ada", "hi")))
    await until(lambda: bool(held.sizes))
    ending = asyncio.create_task(durable.stop())
    await clock.advance(STOP_S + 0.1)
    with pytest.raises(Away, match=r"feed\.db: the disk has not answered for 1 s"):
        await ending
    assert not appending.done()  # and so nothing was acknowledged that is not on disk
    appending.cancel()
    held.let()


# Keys


async def test_a_key_is_known_after_a_restart(start: Start, http: ClientSession) -> None:
    server = await start()
    for text in ("one", "two"):
        await post(http, server.url, text, key=text)
    await server.stop()
    server = await start()
    assert await post(http, server.url, "one", key="one") == 1
    assert await post(http, server.url, "three", key="three") == 3


async def test_a_key_that_comes_again_while_the_first_is_written_is_one_message(
    make: Callable[..., DurableFeed],
) -> None:
    async with hanging(make) as (durable, held):
        draft = Draft("ada", "hi", key="k")
        appending = [asyncio.create_task(durable.append(draft)) for _ in range(3)]
        await until(lambda: bool(held.sizes))
        appending[0].cancel()
        held.let()
        assert (await appending[1]).message.id == (await appending[2]).message.id == 1
        assert durable.feed.head == 1
        assert not durable._named


# A disk that takes nothing


async def test_a_full_disk_costs_publishers_a_503_and_readers_nothing_until_there_is_room(
    start_server: StartServer,
    make: Callable[..., DurableFeed],
    http: ClientSession,
    said: list[str],
) -> None:
    durable = make()
    server = await start_server(FREE, durable=durable)
    await post(http, server.url, "before")
    ws = await http.ws_connect(f"{server.url}/ws?after=0")
    assert durable._disk._db is not None
    await durable._on_disk(durable._disk._db.execute, "PRAGMA max_page_count = 1")
    for _ in range(3):
        assert "disk is full" in await refusal(http, server.url, "x" * 4096)
    await ws.receive_json()
    assert (await ws.receive_json())["text"] == "before"
    await ws.send_json({"sender": "ada", "text": "x" * 4096})
    assert "disk is full" in (await ws.receive_json())["error"]
    assert await texts(http, server.url) == ["before"]
    await durable._on_disk(durable._disk._db.execute, "PRAGMA max_page_count = 1000000")
    assert await post(http, server.url, "x" * 4096) == 2
    assert (await ws.receive_json())["id"] == 2
    assert [line.partition(": ")[2] for line in said] == [
        WRITES_NOTHING,
        "messages are written again",
    ]


async def test_a_disk_that_fails_is_tried_again_and_what_was_refused_is_not_there_twice(
    start_demo: StartDemo, path: Path, http: ClientSession
) -> None:
    demo = start_demo("--feed", f"sqlite:///{path}")
    await post(http, demo.url, "before")
    before = resource.prlimit(demo.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(demo.process.pid, resource.RLIMIT_FSIZE, (1, before[1]))
    for _ in range(3):
        assert "could not be written" in await refusal(http, demo.url, "refused")
    assert await texts(http, demo.url) == ["before"]
    resource.prlimit(demo.process.pid, resource.RLIMIT_FSIZE, before)
    assert await post(http, demo.url, "after") == 2
    await asyncio.to_thread(demo.stop, signal.SIGKILL)
    demo = await asyncio.to_thread(start_demo, "--feed", f"sqlite:///{path}")
    assert await texts(http, demo.url) == ["before", "after"]


async def test_a_file_that_was_moved_away_takes_nothing_until_it_is_back(
    start: Start, path: Path, http: ClientSession
) -> None:
    server = await start()
    await post(http, server.url, "one")
    move(path, path.with_suffix(".away"))
    assert "No such file" in await refusal(http, server.url, "lost")
    await asyncio.to_thread(path.touch)
    assert "another file lies there now" in await refusal(http, server.url, "lost")
    move(path.with_suffix(".away"), path)
    assert await post(http, server.url, "two") == 2


async def test_a_log_of_writes_that_was_deleted_takes_nothing_and_a_restart_mends_it(
    start: Start, path: Path, http: ClientSession
) -> None:
    server = await start()
    await post(http, server.url, "one")
    path.with_name("feed.db-wal").unlink()
    assert "feed.db-wal has gone: stop the server" in await refusal(http, server.url, "lost")
    await server.stop()
    server = await start()
    assert await post(http, server.url, "two") == 2
    assert await texts(http, server.url) == ["one", "two"]


async def test_a_feed_may_be_kept_behind_a_link(
    start: Start, path: Path, http: ClientSession, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    await asyncio.to_thread(elsewhere.mkdir)
    await asyncio.to_thread(path.symlink_to, elsewhere / "kept.db")
    server = await start()
    assert await post(http, server.url, "one") == 1
    (elsewhere / "kept.db-wal").unlink()
    assert "kept.db-wal has gone" in await refusal(http, server.url, "lost")


def move(path: Path, there: Path) -> None:
    path.rename(there)


# Files that cannot be had


def test_a_second_server_is_refused_in_one_line(
    start_demo: StartDemo, refusal: Refusal, path: Path
) -> None:
    feed = f"sqlite:///{path}"
    first = start_demo("--feed", feed)
    line = refusal("--port", "0", "--feed", feed)
    assert f"cannot keep the feed in {path} (another server has it open" in line
    first.stop()
    disk = Disk(path)
    disk.open(100)
    disk.close()


def is_text(path: Path) -> None:
    path.write_text("The quick brown fox jumps over the lazy dog.\n" * 100)


def is_of_another_program(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE messages (id INTEGER PRIMARY KEY)")


def is_a_folder(path: Path) -> None:
    path.mkdir()


def fill(path: Path) -> None:
    async def publish() -> None:
        async with running(DurableFeed(path, 100, print)) as durable:
            for number in range(50):
                await durable.append(Draft("ada", f"{number}" * 100))

    asyncio.run(publish())


def leads_to_itself(path: Path) -> None:
    path.symlink_to(path)


def is_damaged(path: Path) -> None:
    fill(path)
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))


def lacks_a_message(path: Path) -> None:
    fill(path)
    change(path, "DELETE FROM messages WHERE id = 20")


def holds_something_else(path: Path) -> None:
    fill(path)
    change(path, "UPDATE messages SET text = x'ff' WHERE id = 20")


def is_of_a_later_version(path: Path) -> None:
    fill(path)
    change(path, "PRAGMA user_version = 2")


def change(path: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (is_text, "it is no file of SQLite"),
        (is_of_another_program, "is another program's file"),
        (is_a_folder, "unable to open database file"),
        (leads_to_itself, "unable to open database file"),
        (is_damaged, "it is damaged"),
        (lacks_a_message, "it is damaged"),
        (holds_something_else, "it is damaged"),
        (is_of_a_later_version, "was made by another version of this program (2)"),
    ],
)
def test_a_file_that_is_no_feeds_is_refused_and_left_as_it_is(
    path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    spoil(path)
    before = path.read_bytes() if path.is_file() else b""
    with pytest.raises(Away) as away:
        Disk(path).open(100)
    assert reason in str(away.value)
    assert str(path) in str(away.value)
    assert before == (path.read_bytes() if path.is_file() else b"")


def test_a_file_that_cannot_be_had_ends_the_program_in_one_line(
    refusal: Refusal, path: Path
) -> None:
    is_text(path)
    line = refusal("--port", "0", "--feed", f"sqlite:///{path}")
    assert f"cannot keep the feed in {path} (it is no file of SQLite: name another)" in line


@pytest.mark.parametrize("part", ["file", "folder"])
def test_what_may_not_be_written_to_is_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    fill(path)
    closed = {"file": path, "folder": path.parent}[part]
    monkeypatch.setattr(os, "access", lambda place, mode: place != closed)  # root may all
    with pytest.raises(Away, match=f"{closed} may not be written to"):
        Disk(path).open(100)


def test_a_file_that_takes_long_to_open_does_not_hold_a_signal_up(path: Path) -> None:
    program = (
        "import runpy, sys, threading; from demo.disk import Disk; "
        "Disk.open = lambda *_: (print('opens', flush=True), threading.Event().wait()); "
        f"sys.argv = ['demo', '--port', '0', '--feed', 'sqlite:///{path}']; "
        "runpy.run_module('demo', run_name='__main__')"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "opens\n"
        process.terminate()
        try:
            assert process.communicate(timeout=20) == ("", "")
        finally:
            process.kill()
    assert process.returncode == 0


def test_where_sqlite_has_no_write_ahead_log_no_feed_is_kept() -> None:
    with pytest.raises(Away, match="SQLite has no write-ahead log there"):
        Disk(Path(":memory:")).open(100)


def test_of_what_could_not_be_written_nothing_is_there_and_the_next_can_be(path: Path) -> None:
    disk = Disk(path)
    disk.open(10)
    one, two, three = (Message(number, "ada", "text", 0, 0) for number in (1, 2, 3))
    disk.append([(one, None)], 1)
    with pytest.raises(Away, match="the message could not be written"):
        disk.append([(two, None), (one, None)], 1)  # whose id is there
    disk.append([(two, None), (three, None)], 1)
    disk.close()
    assert rows(path) == [1, 2, 3]


def test_an_empty_file_is_a_new_feed(path: Path) -> None:
    path.touch()
    disk = Disk(path)
    epoch, history = disk.open(10)
    disk.close()
    assert (len(epoch), history) == (8, [])
    assert disk.open(10) == (epoch, [])
    disk.close()


async def test_the_file_may_be_named_from_the_root(serve: Serve, path: Path) -> None:
    await serve("--feed", f"sqlite:///{path}")  # which makes four slashes
    assert await asyncio.to_thread(path.exists)


def test_the_file_may_be_named_from_here(refusal: Refusal) -> None:
    line = refusal("--port", "0", "--feed", "sqlite:///no such folder/feed.db")
    assert "cannot keep the feed in no such folder/feed.db" in line


# The classroom has its feed in the file too


async def test_a_class_that_begins_anew_does_so_on_disk(start: Start, http: ClientSession) -> None:
    server = await start()
    before = server.feed.epoch
    await post(http, server.url, "old", key="k")
    async with http.post(f"{server.url}/class/restart", headers=TOKEN) as response:
        assert response.status == 200
        epoch = (await response.json())["epoch"]
    assert epoch not in {before, ""}
    assert await post(http, server.url, "new", key="k") == 1
    await server.stop()
    server = await start()
    assert server.feed.epoch == epoch
    assert await texts(http, server.url) == ["new"]


async def test_the_chatter_is_kept_too(start: Start, path: Path) -> None:
    server = await start()
    server.app[CLASSROOM].chatter.set("storm")
    await until(lambda: server.feed.head >= 2)
    await server.stop()
    assert rows(path)[:2] == [1, 2]
