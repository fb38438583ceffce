"""The line between the server and a reader, on a clock that the test moves."""

import asyncio
import contextlib
from collections.abc import Awaitable

import msgspec
import pytest

from demo.app import Settings
from demo.classroom.classroom import CLASSROOM, Classroom
from demo.classroom.delayed import MAX_OWED_BYTES, DelayedTransport
from demo.classroom.line import LineChange
from demo.fanout import LISTENER
from tests.conftest import Clock, OpenWire, Server, Session, StartServer, Wire, until


@pytest.fixture
async def server(clock: Clock, start_server: StartServer) -> Server:
    return await start_server(Settings(token="known"))


@pytest.fixture
def room(server: Server) -> Classroom:
    return server.app[CLASSROOM]


async def takes(clock: Clock, doing: Awaitable[object]) -> float:
    """Advance the clock a millisecond at a time until it is done; return how many seconds."""
    task = asyncio.ensure_future(doing)
    start = clock.now_s
    await clock.settle()
    while not task.done():
        assert clock.now_s < start + 60, "it does not end"
        await clock.advance(0.001)
    await task
    return clock.now_s - start


def about(seconds: float) -> object:
    return pytest.approx(seconds, abs=0.002)  # two steps of the clock


def change(room: Classroom, reader: str, **what: float) -> None:
    room.change_line(reader, msgspec.convert(what, LineChange))


async def open_socket(clock: Clock, wire: Wire, after: int = 0) -> None:
    await takes(clock, wire.upgrade(f"/ws?after={after}&reader=r"))
    await takes(clock, wire.frame())


@pytest.mark.parametrize("path", ["/short-poll", "/long-poll"])
async def test_a_poll_takes_the_lines_round_trip(
    clock: Clock, room: Classroom, server: Server, wire: Wire, path: str
) -> None:
    server.publish("one")
    room.change({"rtt_ms": 200})
    assert await takes(clock, wire.request(f"{path}?after=0&reader=r")) == about(0.2)
    assert await takes(clock, wire.request(f"{path}?after=0&reader=r&close=1")) == about(0.4)


async def test_the_question_travels_before_it_is_answered(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    room.change({"rtt_ms": 200})
    poll = asyncio.ensure_future(wire.request("/short-poll?after=0&reader=r"))
    await clock.advance(0.09)
    server.publish("in time")
    await clock.advance(0.02)
    server.publish("too late")
    await clock.advance(0.1)
    assert b"in time" in await poll
    assert b"too late" not in poll.result()


async def test_who_names_no_reader_has_no_line(clock: Clock, room: Classroom, wire: Wire) -> None:
    room.change({"rtt_ms": 200})
    assert await takes(clock, wire.request("/short-poll?after=0")) == about(0)


async def test_a_connection_that_carried_a_reader_is_fast_for_others(
    clock: Clock, room: Classroom, wire: Wire
) -> None:
    room.change({"rtt_ms": 200})
    assert await takes(clock, wire.request("/short-poll?after=0&reader=r")) == about(0.2)
    assert await takes(clock, wire.request("/class/clock")) == about(0)


async def test_an_upgrade_that_is_refused_delays_nothing_that_comes_after_it(
    clock: Clock, room: Classroom, wire: Wire
) -> None:
    room.change({"rtt_ms": 200})
    for _ in range(2):
        refused = asyncio.ensure_future(wire.upgrade("/ws?after=x&reader=r"))
        await takes(clock, refused)
        assert refused.result().startswith(b"HTTP/1.1 400")
    assert await takes(clock, wire.request("/class/clock")) == about(0)


async def test_a_socket_opens_in_two_round_trips_and_hears_in_half_of_one(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    room.change({"rtt_ms": 200})
    assert await takes(clock, wire.upgrade("/ws?after=0&reader=r")) == about(0.4)
    await takes(clock, wire.frame())
    server.publish("one")
    assert await takes(clock, wire.frame()) == about(0.1)


async def test_what_a_socket_says_takes_half_a_round_trip_too(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    room.change({"rtt_ms": 200})
    await open_socket(clock, wire)
    await wire.send(b"\x81\x99\0\0\0\0" + b'{"sender":"a","text":"b"}')
    await clock.advance(0.099)
    assert server.feed.head == 0
    await clock.advance(0.002)
    assert server.feed.head == 1
    assert await takes(clock, wire.frame()) <= 0.102


async def test_frames_keep_their_order_when_the_line_grows_shorter(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    room.change({"rtt_ms": 2000})
    await open_socket(clock, wire)
    server.publish("one")
    await clock.settle()
    room.change({"rtt_ms": 0})
    server.publish("two")
    assert await takes(clock, wire.frame()) == about(1)
    assert b"two" in (await wire.frame())[1]


@pytest.mark.parametrize("path", ["/short-poll", "/long-poll"])
async def test_a_stalled_server_answers_polls_later(
    clock: Clock, room: Classroom, server: Server, wire: Wire, path: str
) -> None:
    server.publish("one")
    await wire.request(f"{path}?after=0&reader=r")
    change(room, "r", stall_s=3)
    assert await takes(clock, wire.request(f"{path}?after=0&reader=r")) == about(3)
    assert await takes(clock, wire.request(f"{path}?after=0&reader=r")) == about(0)


async def test_a_stalled_server_pushes_all_of_it_later_in_order(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    await open_socket(clock, wire)
    change(room, "r", stall_s=3)
    for text in ("one", "two"):
        server.publish(text)
        await clock.settle()
    assert room.lanes.by_name["r"].behind(server.feed.epoch, 2) == 2
    assert await takes(clock, wire.frame()) == about(3)
    assert b"two" in (await wire.frame())[1]
    assert room.lanes.by_name["r"].behind(server.feed.epoch, 2) == 0


async def test_a_slow_line_trickles_an_answer(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    server.publish("x" * 2000)
    first = await wire.request("/short-poll?after=0&reader=r")
    change(room, "r", slow_bytes_per_s=1000)
    seconds = await takes(clock, wire.request("/short-poll?after=0&reader=r"))
    assert seconds == pytest.approx(len(first) / 1000, abs=0.1)
    change(room, "r", slow_bytes_per_s=0)
    assert await takes(clock, wire.request("/short-poll?after=0&reader=r")) == about(0)


async def test_a_slow_socket_falls_behind_and_catches_up(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    await open_socket(clock, wire)
    change(room, "r", slow_bytes_per_s=100)
    for number in range(20):
        server.publish(f"text {number}")
        await clock.advance(0.1)
    lane = room.lanes.by_name["r"]
    behind = lane.behind(server.feed.epoch, 20)
    assert behind is not None
    assert behind >= 15
    assert lane.session is not None
    assert lane.session.request[LISTENER].cursor < 15  # the rest waits in the feed, not on the line
    change(room, "r", slow_bytes_per_s=0)
    texts = []
    for _ in range(20):
        await takes(clock, heard := asyncio.ensure_future(wire.frame()))
        texts.append(heard.result()[1])
    assert [f"text {number}".encode() in text for number, text in enumerate(texts)] == [True] * 20
    assert room.lanes.by_name["r"].behind(server.feed.epoch, 20) == 0


async def test_what_a_slow_socket_is_owed_is_bounded(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    await open_socket(clock, wire)
    change(room, "r", slow_bytes_per_s=1)
    ping = b"\x89\xfd\0\0\0\0" + bytes(125)
    with contextlib.suppress(ConnectionError):  # it may be cut off before all has been sent
        for _ in range(MAX_OWED_BYTES // 127 // 100 + 2):
            await wire.send(ping * 100)
            await clock.settle()
    await wire.end()
    await clock.settle()
    assert room.lanes.by_name["r"].busy == 0


@pytest.mark.parametrize("path", ["/short-poll", "/long-poll", "/ws"])
async def test_a_cut_line_lets_nobody_through(
    clock: Clock,
    room: Classroom,
    server: Server,
    open_wire: OpenWire,
    path: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    first = await open_wire(server)
    await first.request("/short-poll?after=0&reader=r")
    change(room, "r", cut_s=3)
    for _ in range(2):
        cut = await open_wire(server)
        with pytest.raises((EOFError, ConnectionError)):
            await cut.upgrade(f"{path}?after=0&reader=r")
    await clock.settle()
    asked = room.lanes.by_name["r"].total()
    assert (asked.requests, asked.empty, asked.connections) == (
        3,
        1,
        1,
    )  # the first alone was heard
    await clock.advance(3)
    back = await open_wire(server)
    server.publish("back")
    answer = await back.upgrade(f"{path}?after=0&reader=r")
    assert answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 101"))
    assert caplog.messages == []  # nor is it a fault


async def test_a_cut_ends_what_is_held_and_open(
    clock: Clock, room: Classroom, server: Server, open_wire: OpenWire
) -> None:
    poller, listener, other = [await open_wire(server) for _ in range(3)]
    poll = asyncio.ensure_future(poller.request("/long-poll?after=0&reader=r"))
    await listener.upgrade("/ws?after=0&reader=r")
    await other.upgrade("/ws?after=0&reader=another")
    await clock.settle()
    change(room, "r", cut_s=1)
    with pytest.raises((EOFError, ConnectionError)):
        await poll
    await listener.end()
    await clock.settle()
    assert room.lanes.by_name["r"].busy == 0
    server.publish("one")
    await other.frame()
    assert b"one" in (await other.frame())[1]


@pytest.mark.both_loops
async def test_a_held_answer_keeps_no_connection_open_when_the_server_stops(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server()
    room = server.app[CLASSROOM]
    wire = await open_wire(server)
    await wire.request("/short-poll?after=0&reader=r")
    change(room, "r", stall_s=120)
    await wire.send(b"GET /short-poll?after=0&reader=r HTTP/1.1\r\nHost: x\r\n\r\n")
    line = room.lanes.by_name["r"].line
    await until(lambda: bool(line.carried))
    (carried,) = line.carried
    assert isinstance(carried, DelayedTransport)
    await until(lambda: bool(carried.written))
    await server.stop()
    assert carried.below.is_closing()


@pytest.mark.both_loops
async def test_the_line_serves_on_both_loops(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server()
    server.app[CLASSROOM].change({"rtt_ms": 2})
    wire = await open_wire(server)
    server.publish("one")
    assert b"one" in await wire.request("/short-poll?after=0&reader=r")
    await wire.upgrade("/ws?after=1&reader=r")
    await wire.frame()
    await wire.send(b"\x81\x99\0\0\0\0" + b'{"sender":"a","text":"b"}')
    assert b'"text":"b"' in (await wire.frame())[1]


@pytest.mark.parametrize(
    "body",
    [{}, {"cut_s": 1, "stall_s": 1}, {"cut_s": -1}, {"cut_s": 121}, {"slow_bytes_per_s": -1},
     {"slow_bytes_per_s": 0.5}, {"stall_s": "long"}, {"delay_s": 1}],
)  # fmt: skip
async def test_what_no_line_can_do_is_a_400(
    start_server: StartServer, session: Session, body: object
) -> None:
    server = await start_server(Settings(token="known"))
    client = session(server)
    async with client.get("/short-poll?reader=r"):
        pass
    headers = {"Authorization": "Bearer known"}
    async with client.post("/class/readers/r/line", json=body, headers=headers) as response:
        assert response.status == 400
    async with client.post("/class/readers/x/line", json={"cut_s": 1}, headers=headers) as response:
        assert response.status == 404


async def test_a_line_is_cut_by_the_teachers_request(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(token="known"))
    client = session(server)
    headers = {"Authorization": "Bearer known"}
    async with client.ws_connect("/ws?reader=r") as ws:
        await ws.receive_json()
        async with client.post(
            "/class/readers/r/line", json={"cut_s": 5}, headers=headers
        ) as response:
            assert response.status == 200
        await ws.receive()
        assert ws.closed
