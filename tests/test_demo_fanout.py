import asyncio
import json
from itertools import pairwise
from types import MethodType
from typing import Self, cast

import pytest
from aiohttp import ClientSession, web

from demo.app import Settings
from demo.fanout import TURN, Fanout
from demo.feed import Feed
from demo.listener import GAP_CODE, Listener
from demo.message import Draft
from demo.metering import MeteredTransport
from demo.stats import STATS
from demo.tally import Tally
from demo.websocket import FANOUT
from tests.conftest import Clock, OpenWire, Server, Session, StartServer, Wire, until

PATH = "/ws"
CLOSE = 0x8


class Paper:
    """A socket and a transport that keep what is written, and can be told to be full."""

    def __init__(self) -> None:
        self.closed = False
        self.closing = False
        self.full = False
        self.written: list[bytes] = []
        self.codes: list[int] = []

    def is_closing(self) -> bool:
        return self.closing

    def get_write_buffer_size(self) -> int:
        return 1 << 20 if self.full else 0

    def write(self, data: bytes) -> None:
        self.written.append(data)

    async def close(self, *, code: int, **_: object) -> None:
        self.closed = True
        self.codes.append(code)

    def abort(self) -> None:
        self.closing = True

    def resume_reading(self) -> None: ...


def listener(paper: Paper, cursor: int = 0) -> Listener:
    ws, transport = cast(web.WebSocketResponse, paper), cast(MeteredTransport, paper)
    return Listener(ws, transport, cursor, Tally())


def publish(feed: Feed, count: int) -> bytes:
    return b"".join(feed.publish(Draft("ada", f"text {i}")).frame for i in range(count))


class Pushing:
    """A fan-out at work; ends as the server ends it, by closing the feed."""

    def __init__(self, history: int = 100) -> None:
        self.feed = Feed(history)
        self.fanout = Fanout(self.feed, lambda entry: entry.frame)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self.fanout.run())
        return self

    async def __aexit__(self, *raised: object) -> None:
        self.feed.close()
        await self._task


async def test_several_messages_are_one_write() -> None:
    paper = Paper()
    async with Pushing() as pushing:
        pushing.fanout.add(listener(paper))
        frames = publish(pushing.feed, 3)
        await until(lambda: bool(paper.written))
    assert paper.written == [frames]


async def test_what_a_newcomer_missed_is_one_write() -> None:
    paper = Paper()
    async with Pushing() as pushing:
        frames = publish(pushing.feed, 3)
        pushing.fanout.add(listener(paper))
    assert paper.written == [frames]


async def test_listeners_at_one_cursor_get_the_same_bytes() -> None:
    papers = [Paper(), Paper()]
    async with Pushing() as pushing:
        for paper in papers:
            pushing.fanout.add(listener(paper))
        publish(pushing.feed, 3)
        await until(lambda: all(paper.written for paper in papers))
    assert papers[0].written[0] is papers[1].written[0]


async def test_a_full_socket_is_not_given_more_and_catches_up_without_another_message() -> None:
    slow, quick = Paper(), Paper()
    slow.full = True
    async with Pushing() as pushing:
        pushing.fanout.add(listener(slow))
        pushing.fanout.add(listener(quick))
        frames = publish(pushing.feed, 2)
        await until(lambda: bool(quick.written))
        assert slow.written == []
        slow.full = False
        await until(lambda: bool(slow.written))
    assert slow.written == [frames]
    assert quick.written == [frames]


@pytest.mark.parametrize("end", ["closed", "closing"])
async def test_a_closed_socket_is_not_written_to(end: str) -> None:
    gone, here = Paper(), Paper()
    setattr(gone, end, True)
    async with Pushing() as pushing:
        for paper in (gone, here):
            pushing.fanout.add(listener(paper))
        publish(pushing.feed, 1)
        await until(lambda: bool(here.written))
    assert gone.written == []


async def test_a_discarded_listener_is_not_written_to() -> None:
    paper, other = Paper(), Paper()
    async with Pushing() as pushing:
        leaving = listener(paper)
        for each in (leaving, listener(other)):
            pushing.fanout.add(each)
        pushing.fanout.discard(leaving)
        publish(pushing.feed, 1)
        await until(lambda: bool(other.written))
    assert paper.written == []


async def test_others_get_a_turn_during_a_long_round() -> None:
    papers = [Paper() for _ in range(3 * TURN)]
    async with Pushing() as pushing:
        for paper in papers:
            pushing.fanout.add(listener(paper))
        publish(pushing.feed, 1)
        turns: list[int] = []
        while not turns or turns[-1] < len(papers):
            await asyncio.sleep(0)
            turns.append(sum(bool(paper.written) for paper in papers))
    assert {TURN, 2 * TURN} <= set(turns)


async def test_others_get_a_turn_while_many_that_were_behind_catch_up() -> None:
    papers = [Paper() for _ in range(3 * TURN)]
    for paper in papers:
        paper.full = True
    async with Pushing() as pushing:
        for paper in papers:
            pushing.fanout.add(listener(paper))
        publish(pushing.feed, 1)
        await until(lambda: pushing.fanout.behind == len(papers))
        for paper in papers:
            paper.full = False
        seen = [len(papers)]
        while pushing.fanout.behind:
            await asyncio.sleep(0)
            seen.append(pushing.fanout.behind)
    assert max(before - after for before, after in pairwise(seen)) == TURN
    assert all(len(paper.written) == 1 for paper in papers)


async def test_a_message_that_comes_during_a_round_reaches_all() -> None:
    papers = [Paper() for _ in range(2 * TURN)]
    async with Pushing() as pushing:
        for paper in papers:
            pushing.fanout.add(listener(paper))
        frames = publish(pushing.feed, 1)
        await until(lambda: any(paper.written for paper in papers))
        frames += publish(pushing.feed, 1)
        await until(lambda: all(b"".join(paper.written) == frames for paper in papers))


async def test_a_new_epoch_closes_who_is_in_the_old_one_and_pushes_them_nothing_more() -> None:
    papers, newcomer = [Paper() for _ in range(3 * TURN)], Paper()
    async with Pushing() as pushing:
        for paper in papers:
            pushing.fanout.add(listener(paper))
        old = publish(pushing.feed, 1)
        await until(lambda: any(paper.written for paper in papers))  # in the middle of a round
        pushing.feed.restart()
        new = publish(pushing.feed, 2)
        pushing.fanout.add(listener(newcomer))
        await until(lambda: all(paper.codes for paper in papers))
        newer = publish(pushing.feed, 1)
        await until(lambda: len(newcomer.written) == 2)
    assert {code for paper in papers for code in paper.codes} == {GAP_CODE}
    for paper in papers:
        *pushed, told = paper.written
        assert pushed in ([], [old])
        assert b"has ended" in told
    assert newcomer.written == [new, newer]


async def test_a_new_epoch_is_pushed_to_nobody_who_is_tried_again_in_a_later_turn() -> None:
    papers = [Paper() for _ in range(2 * TURN)]
    async with Pushing() as pushing:

        def restart() -> None:
            if pushing.feed.head == 1:
                pushing.feed.restart()
                publish(pushing.feed, 2)

        def write(paper: Paper, data: bytes) -> None:
            paper.written.append(data)
            asyncio.get_running_loop().call_soon(restart)  # between this turn and the next

        for paper in papers:
            paper.full = True
            paper.write = MethodType(write, paper)  # type: ignore[method-assign]
            pushing.fanout.add(listener(paper))
        old = publish(pushing.feed, 1)
        await until(lambda: pushing.fanout.behind == len(papers))
        for paper in papers:
            paper.full = False
        await until(lambda: all(paper.codes for paper in papers))
    pushed = [paper.written[:-1] for paper in papers]
    assert pushed.count([old]) == TURN
    assert pushed.count([]) == TURN


async def test_a_new_epoch_is_told_to_who_hears_of_it_from_a_newcomer_alone() -> None:
    paper = Paper()
    pushing = Pushing()  # its rounds have not begun
    pushing.fanout.add(listener(paper))
    pushing.feed.restart()
    pushing.fanout.add(listener(Paper()))
    await until(lambda: paper.codes == [GAP_CODE])


async def test_who_falls_behind_the_history_is_told_and_given_no_frame() -> None:
    slow = Paper()
    slow.full = True
    async with Pushing(history=2) as pushing:
        behind = listener(slow)
        pushing.fanout.add(behind)
        publish(pushing.feed, 1)
        await until(lambda: pushing.fanout.behind == 1)
        slow.full = False
        publish(pushing.feed, 5)
        await until(lambda: slow.codes == [GAP_CODE])
        assert pushing.fanout.behind == 0
    (told,) = slow.written
    assert b"history now starts at" in told
    assert behind.tally.gaps == 1
    assert behind.tally.deliveries == 0


async def test_who_leaves_is_not_behind() -> None:
    slow = Paper()
    slow.full = True
    async with Pushing() as pushing:
        leaving = listener(slow)
        pushing.fanout.add(leaving)
        publish(pushing.feed, 1)
        await until(lambda: pushing.fanout.behind == 1)
        pushing.fanout.discard(leaving)
        assert pushing.fanout.behind == 0


async def test_once_the_feed_has_ended_nobody_who_is_behind_is_tried_again(clock: Clock) -> None:
    slow = Paper()
    slow.full = True
    async with Pushing() as pushing:
        pushing.fanout.add(listener(slow))
        publish(pushing.feed, 1)
        await until(lambda: pushing.fanout.behind == 1)
    slow.full = False
    await clock.advance(1)
    assert slow.written == []
    assert clock._next_timer() is None


async def test_of_what_was_joined_for_others_no_more_is_kept_than_so_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("demo.fanout.MAX_ANSWERS", 3)
    papers = [Paper() for _ in range(8)]
    async with Pushing() as pushing:
        publish(pushing.feed, 8)
        frames = [entry.frame for entry in pushing.feed.after(0)]
        for cursor, paper in enumerate(papers):
            pushing.fanout.add(listener(paper, cursor))
            assert len(pushing.fanout._chunks) <= 3
    assert [paper.written for paper in papers] == [
        [b"".join(frames[cursor:])] for cursor in range(8)
    ]


async def fall_behind(server: Server, wire: Wire) -> None:
    """Publish until the reader of `wire`, who reads nothing, is left behind."""
    await wire.upgrade(PATH)
    for _ in range(1000):
        server.publish(*["x" * 4096] * 10)
        await asyncio.sleep(0)
        if server.app[FANOUT]._behind:
            return
    pytest.fail("the reader took everything")


@pytest.mark.both_loops
async def test_a_slow_reader_catches_up_in_order_when_it_reads(
    server: Server, open_wire: OpenWire
) -> None:
    wire = await open_wire(server, receive_buffer=4096)
    await fall_behind(server, wire)
    await wire.frame()
    for entry in server.feed.after(0):
        assert await wire.read(len(entry.frame)) == entry.frame
    assert server.app[STATS].modes["ws"].deliveries == server.feed.head


@pytest.mark.both_loops
async def test_a_slow_reader_holds_nobody_up(
    server: Server, client: ClientSession, open_wire: OpenWire
) -> None:
    await fall_behind(server, await open_wire(server, receive_buffer=4096))
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        for text in ("one", "two"):
            server.publish(text)
            assert (await ws.receive_json())["text"] == text
    async with client.get("/stats") as response:
        assert (await response.json())["behind"] == 1
    async with client.get("/short-poll", params={"after": str(server.feed.head - 1)}) as response:
        assert (await response.json())["messages"][0]["text"] == "two"


@pytest.mark.both_loops
async def test_a_reader_behind_the_history_is_told_and_closed_and_others_are_not_disturbed(
    start_server: StartServer, session: Session, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(history=20))
    wire = await open_wire(server, receive_buffer=4096)
    await fall_behind(server, wire)
    tally = server.app[STATS].modes["ws"]
    async with session(server).ws_connect(PATH) as ws:
        await ws.receive_json()
        for number in range(30):
            server.publish(f"text {number}")
            assert (await ws.receive_json())["text"] == f"text {number}"
        await until(lambda: tally.gaps == 1)
        opcode = 1
        frames = []
        while opcode != CLOSE:
            opcode, payload = await wire.frame()
            frames.append(payload)
        assert b'"oldest"' in frames[-2]
        assert int.from_bytes(frames[-1][:2]) == 4410
        server.publish("after the gap")
        assert (await ws.receive_json())["text"] == "after the gap"


@pytest.mark.both_loops
async def test_long_history_is_caught_up_in_pieces(server: Server, open_wire: OpenWire) -> None:
    server.publish(*(f"{number} " + "x" * 1000 for number in range(500)))
    wire = await open_wire(server)
    await wire.upgrade("/ws?after=0")
    await wire.frame()
    first = json.loads((await wire.frame())[1])
    written = server.app[STATS].modes["ws"].deliveries
    assert first["id"] == 1
    assert written < 100  # not half a megabyte at once, for a reader that may not read it
    rest = [json.loads((await wire.frame())[1])["id"] for _ in range(499)]
    assert rest == list(range(2, 501))
