"""The line between the server and a reader, on a clock that the test moves."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable

import msgspec
import pytest

from demo.app import Settings
from demo.classroom.arriving import MAX_UNREAD_BYTES, DelayedProtocol
from demo.classroom.classroom import CLASSROOM, Classroom
from demo.classroom.delayed import MAX_OWED_BYTES, DelayedTransport
from demo.classroom.line import Line, LineChange
from demo.listener import LISTENER
from demo.stats import STATS
from demo.tally import Tally
from tests.conftest import Clock, OpenWire, Server, Session, StartServer, Wire, until

SAID = b"\x81\x99\0\0\0\0" + b'{"sender":"a","text":"b"}'


@pytest.fixture
async def server(clock: Clock, start_server: StartServer) -> Server:
    return await start_server(Settings(token="known"))


@pytest.fixture
def room(server: Server) -> Classroom:
    return server.app[CLASSROOM]


async def takes(clock: Clock, doing: Awaitable[object]) -> float:
    """Advance the clock from timer to timer until it is done; return how many seconds."""
    task = asyncio.ensure_future(doing)
    start = clock.now_s
    await clock.settle()
    while not task.done():
        assert clock.now_s < start + 60, "it does not end"
        await clock.next()
    await task
    return clock.now_s - start


def about(seconds: float) -> object:
    return pytest.approx(seconds, abs=1e-6)


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
    await wire.send(SAID)
    await clock.advance(0.099)
    assert server.feed.head == 0
    await clock.advance(0.002)
    assert server.feed.head == 1
    assert await takes(clock, wire.frame()) <= 0.102


async def test_what_a_reader_said_before_it_hung_up_is_heard(
    clock: Clock,
    room: Classroom,
    server: Server,
    wire: Wire,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await open_socket(clock, wire)
    room.change({"rtt_ms": 2000})
    await wire.send(SAID)
    await clock.settle()
    assert server.feed.head == 0
    wire._socket.shutdown(socket.SHUT_WR)
    await until(lambda: server.feed.head == 1)
    await clock.advance(2)  # when the line would have brought it
    assert server.feed.head == 1
    assert caplog.messages == []


async def test_what_a_reader_says_ahead_of_its_line_is_bounded(
    clock: Clock, room: Classroom, server: Server, wire: Wire
) -> None:
    await open_socket(clock, wire)
    room.change({"rtt_ms": 2000})
    with contextlib.suppress(ConnectionError):  # it may be cut off before all has been sent
        for _ in range(MAX_UNREAD_BYTES // len(SAID) // 100 + 2):
            await wire.send(SAID * 100)
            await clock.settle()
    await wire.end()
    await clock.settle()
    assert room.lanes.by_name["r"].busy == 0
    assert server.app[STATS].snapshot()["modes"]["ws"]["stalled"] == 1


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
    assert server.app[STATS].snapshot()["modes"]["ws"]["stalled"] == 1


async def test_a_reader_that_opens_another_socket_is_where_that_one_is(
    clock: Clock, room: Classroom, server: Server, open_wire: OpenWire
) -> None:
    first, second = await open_wire(server), await open_wire(server)
    for each in (first, second):
        await open_socket(clock, each)
    lane = room.lanes.by_name["r"]
    newest = lane.session
    first.close()
    await until(lambda: lane.busy == 1)
    assert lane.session is newest is not None
    second.close()
    await until(lambda: lane.busy == 0)
    assert lane.session is None


async def test_a_reader_may_have_its_messages_compressed(
    start_server: StartServer, session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    server = await start_server(Settings(deflate=True))
    async with session(server).ws_connect("/ws?reader=r", compress=15) as ws:
        await ws.receive_json()
        lane = server.app[CLASSROOM].lanes.by_name["r"]
        assert lane.session is not None
        server.publish("hi")
        assert (await ws.receive_json())["text"] == "hi"
    await until(lambda: lane.busy == 0)
    assert lane.session is None
    await server.stop()
    assert capsys.readouterr().err == ""  # where a fault would be


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
    await wire.send(SAID)
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


# A line without a server


class Below(asyncio.Transport):
    """A transport that keeps what is written, and what its protocol is."""

    def __init__(self, protocol: asyncio.BaseProtocol | None = None) -> None:
        super().__init__()
        self.written = b""
        self.closing = False
        self.protocol = protocol or asyncio.Protocol()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


async def test_a_close_comes_after_what_is_on_the_line(clock: Clock) -> None:
    below = Below()
    delayed = DelayedTransport(below, Line(lambda: 0.2), Tally())
    delayed.write(b"the last")
    delayed.close()
    assert (below.written, below.closing) == (b"", False)
    await clock.advance(0.11)
    assert (below.written, below.closing) == (b"the last", True)


async def test_what_is_on_the_line_when_its_connection_ends_is_dropped(clock: Clock) -> None:
    below = Below()
    delayed = DelayedTransport(below, Line(lambda: 0.2), Tally())
    delayed.write(b"too late")
    below.close()
    await clock.advance(0.11)
    assert (below.written, delayed.get_write_buffer_size()) == (b"", 0)
    await delayed.sent()  # there is nothing to wait for


async def test_who_steps_aside_hands_on_what_waits(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Hearing(asyncio.Protocol):
        heard = b""

        def data_received(self, data: bytes) -> None:
            self.heard += data

    inner, line = Hearing(), Line(lambda: 0.2)
    below = Below(inner)
    protocol = DelayedProtocol(DelayedTransport(below, line, Tally()), line)
    for part in (b"one ", b"two"):
        protocol.data_received(part)
    assert inner.heard == b""
    protocol.step_aside()
    assert inner.heard == b"one two"
    assert below.protocol is inner
    await clock.advance(1)  # when the line would have brought it
    assert inner.heard == b"one two"
    assert caplog.messages == []
