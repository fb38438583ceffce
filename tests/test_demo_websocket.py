import asyncio
import contextlib
import json
import random

import pytest
from aiohttp import ClientSession, ClientWebSocketResponse, WSMsgType, web

from demo.app import Settings, make_app
from demo.deflation import AT_ONCE
from demo.frames import text_frame
from demo.peer import Peer
from demo.serving import serving
from demo.sockets import HEARTBEAT_S, JITTER, SOCKETS
from demo.stats import STATS
from demo.tally import Tally
from tests.conftest import Clock, OpenWire, Server, Session, StartServer, Wire, until

PATH = "/ws"
PING, CLOSE = 0x9, 0x8
UNASKED_PONG = b"\x8a\x80\0\0\0\0"


@pytest.mark.both_loops
async def test_the_first_frame_says_where_the_reader_starts(
    client: ClientSession, server: Server
) -> None:
    server.publish("old")
    async with client.ws_connect(PATH) as ws:
        assert await ws.receive_json() == {"epoch": server.feed.epoch, "cursor": 1}


@pytest.mark.both_loops
async def test_each_message_is_one_frame(client: ClientSession, server: Server) -> None:
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        one, two = (entry.message for entry in server.publish("one", "two"))
        for message in (one, two):
            assert await ws.receive_json() == {
                "id": message.id,
                "sender": "ada",
                "text": message.text,
                "sent_ns": message.sent_ns,
                "published_ns": message.published_ns,
            }


async def test_a_reader_with_a_cursor_gets_what_it_missed(
    client: ClientSession, server: Server
) -> None:
    server.publish("one", "two", "three")
    async with client.ws_connect(PATH, params={"after": "1", "epoch": server.feed.epoch}) as ws:
        assert (await ws.receive_json())["cursor"] == 1
        assert [(await ws.receive_json())["text"] for _ in range(2)] == ["two", "three"]


async def test_the_frames_are_those_made_at_publish(wire: Wire, server: Server) -> None:
    await wire.upgrade(PATH)
    await wire.frame()
    entries = server.publish("short", "x" * 200, "y" * 4096)
    for entry in entries:
        assert await wire.read(len(entry.frame)) == text_frame(entry.json)


async def test_the_handshake_is_not_stored_and_not_compressed(wire: Wire) -> None:
    head = await wire.upgrade(PATH, "Sec-WebSocket-Extensions: permessage-deflate")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert b"Cache-Control: no-store" in head
    assert b"permessage-deflate" not in head


async def test_a_request_that_is_no_upgrade_is_a_400_of_one_line(client: ClientSession) -> None:
    async with client.get(PATH) as response:
        assert response.status == 400
        assert response.headers["Cache-Control"] == "no-store"
        error = (await response.json())["error"]
    assert error.endswith("open this address as a WebSocket")
    assert len(error.splitlines()) == 1


async def gap_of(ws: ClientWebSocketResponse) -> object:
    notice = await ws.receive_json()
    end = await ws.receive()
    assert (end.type, end.data) == (WSMsgType.CLOSE, 4410)
    return notice


@pytest.mark.both_loops
async def test_a_gap_is_told_in_a_frame_before_the_close(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(history=2))
    server.publish("one", "two", "three", "four")
    async with session(server).ws_connect(PATH, params={"after": "1"}) as ws:
        assert await gap_of(ws) == {
            "error": "the history now starts at 3: read on with after=2",
            "epoch": server.feed.epoch,
            "oldest": 3,
            "cursor": 4,
        }
    assert server.app[STATS].modes["ws"].gaps == 1


@pytest.mark.parametrize("query", [{"after": "1"}, {"after": "0", "epoch": "gone"}])
async def test_a_cursor_beyond_the_head_or_of_another_epoch_is_a_gap(
    client: ClientSession, server: Server, query: dict[str, str]
) -> None:
    async with client.ws_connect(PATH, params=query) as ws:
        notice = await gap_of(ws)
    assert isinstance(notice, dict)
    assert (notice["oldest"], notice["cursor"]) == (1, 0)


async def test_a_reader_that_does_not_answer_a_gap_is_cut_off(
    clock: Clock, server: Server, wire: Wire
) -> None:
    await wire.upgrade("/ws?after=1")
    assert (await wire.frame())[0] == 0x1
    opcode, reason = await wire.frame()
    assert (opcode, int.from_bytes(reason[:2])) == (CLOSE, 4410)
    tally = server.app[STATS].modes["ws"]
    await clock.advance(1.9)
    assert (tally.connections, tally.stalled) == (1, 0)
    await clock.advance(0.2)
    await until(lambda: tally.connections == 0)
    assert tally.stalled == 1


@pytest.mark.both_loops
async def test_a_text_frame_publishes(client: ClientSession, server: Server) -> None:
    async with client.ws_connect(PATH) as ws, client.ws_connect(PATH) as other:
        for each in (ws, other):
            await each.receive_json()
        await ws.send_json({"sender": "bob", "text": "hi", "sent_ns": 7})
        heard = [await each.receive_json() for each in (ws, other)]
    assert heard[0] == heard[1]
    assert {key: heard[0][key] for key in ("id", "sender", "text", "sent_ns")} == {
        "id": 1,
        "sender": "bob",
        "text": "hi",
        "sent_ns": 7,
    }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hi", "malformed"),
        ("{}", "missing required field `sender`"),
        ('{"sender": "", "text": "hi"}', "length >= 1"),
        (json.dumps({"sender": "bob", "text": "x" * 4097}), "the limit is 4096"),
    ],
)
async def test_a_bad_frame_is_answered_and_the_socket_stays(
    client: ClientSession, server: Server, text: str, reason: str
) -> None:
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        await ws.send_str(text)
        answer = await ws.receive_json()
        assert list(answer) == ["error"]
        assert reason in answer["error"]
        assert len(answer["error"].splitlines()) == 1
        server.publish("still here")
        assert (await ws.receive_json())["text"] == "still here"


async def test_too_fast_is_answered_too(start_server: StartServer, session: Session) -> None:
    server = await start_server(Settings(publish_per_s=1))
    async with session(server).ws_connect(PATH) as ws:
        await ws.receive_json()
        for _ in range(2):
            await ws.send_json({"sender": "bob", "text": "hi"})
        answers = [await ws.receive_json() for _ in range(2)]
    assert [each.get("error", "")[:8] for each in answers if "error" in each] == ["too fast"]
    assert server.feed.head == 1


async def test_binary_is_refused(client: ClientSession, server: Server) -> None:
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        await ws.send_bytes(b'{"sender": "bob", "text": "hi"}')
        end = await ws.receive()
    assert (end.type, end.data) == (WSMsgType.CLOSE, 1003)
    assert server.feed.head == 0


async def test_a_frame_beyond_all_bounds_closes_the_socket(
    client: ClientSession, server: Server
) -> None:
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        await ws.send_str("x" * 70_000)
        end = await ws.receive()
    assert (end.type, end.data) == (WSMsgType.CLOSE, 1009)


async def test_a_quiet_reader_is_pinged_and_dropped_when_it_does_not_answer(
    clock: Clock, server: Server, wire: Wire
) -> None:
    await wire.upgrade(PATH)
    await wire.frame()
    await clock.advance(30)
    assert await wire.frame() == (PING, b"")
    await clock.advance(16)
    await wire.end()
    tally = server.app[STATS].modes["ws"]
    await until(lambda: tally.connections == 0)
    assert tally.silent == 1


async def test_readers_who_came_at_once_are_not_pinged_at_once(
    clock: Clock, server: Server, open_wire: OpenWire
) -> None:
    wires = [await open_wire(server) for _ in range(20)]
    for wire in wires:
        await wire.upgrade(PATH)
        await wire.frame()
    pinged: list[float] = []
    await clock.advance(HEARTBEAT_S * (1 - JITTER))
    for _ in range(round(HEARTBEAT_S * JITTER) + 1):
        waiting = [ws for ws in server.app[SOCKETS] if isinstance(ws, Peer) and ws.pinged_s]
        pinged += [clock.time()] * (len(waiting) - len(pinged))
        await clock.advance(1)
    assert len(pinged) >= 19
    assert len(set(pinged)) > 3


async def test_a_stalled_reader_is_dropped_with_all_it_has_not_read(
    clock: Clock, server: Server, open_wire: OpenWire
) -> None:
    wire = await open_wire(server, receive_buffer=4096)
    await wire.upgrade(PATH)
    for _ in range(100):
        server.publish(*["x" * 4096] * 50)
        await clock.settle()
    tally = server.app[STATS].modes["ws"]
    assert 0 < tally.deliveries < server.feed.head, "the reader was not slow enough"
    await clock.advance(60)
    await until(lambda: tally.connections == 0)


async def test_a_reader_that_answers_pings_stays(
    clock: Clock, client: ClientSession, server: Server
) -> None:
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        reading = asyncio.create_task(ws.receive_json())
        for _ in range(10):
            await clock.advance(30)  # a ping
            await clock.advance(14)  # time for its pong
        server.publish("hi")
        assert (await reading)["text"] == "hi"


@pytest.mark.both_loops
async def test_sockets_are_closed_with_1001_when_the_server_stops(session: Session) -> None:
    app = make_app()
    async with serving(app, "127.0.0.1", 0) as (url,):
        client = session(Server(url, app))
        sockets = [await client.ws_connect(path) for path in (PATH, PATH, "/", "/echo")]
        for ws in sockets[:2]:
            await ws.receive_json()
    for ws in sockets:
        end = await ws.receive()
        assert (end.type, end.data) == (WSMsgType.CLOSE, 1001)


async def test_compressed_reader_gets_the_same_messages_in_fewer_bytes(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(deflate=True))
    got: dict[int, list[str]] = {}
    sizes = []
    for window_bits in (0, 15):
        before = server.app[STATS].modes["ws"].bytes_out
        async with session(server).ws_connect("/ws", compress=window_bits) as ws:
            await ws.receive()
            server.publish(*("the same words again " * 10,) * 20)
            got[window_bits] = [(await ws.receive_json())["text"] for _ in range(20)]
        sizes.append(server.app[STATS].modes["ws"].bytes_out - before)
    assert got[0] == got[15]
    assert sizes[1] < sizes[0] / 2


async def test_compressed_reader_catches_up_and_is_told_of_a_gap(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(deflate=True, history=3))
    server.publish(*"abcde")
    client = session(server)
    async with client.ws_connect("/ws?after=3", compress=15) as ws:
        await ws.receive()
        assert [(await ws.receive_json())["text"] for _ in range(2)] == ["d", "e"]
    async with client.ws_connect("/ws?after=1", compress=15) as ws:
        assert (await ws.receive_json())["oldest"] == 3
        await ws.receive()
        assert ws.close_code == 4410


async def test_compressed_reader_that_takes_nothing_costs_no_history(
    start_server: StartServer, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start_server(Settings(deflate=True, history=100))
    server.publish(*"x" * 100)
    send, takes = web.WebSocketResponse.send_frame, asyncio.Event()

    async def send_slowly(ws: web.WebSocketResponse, message: bytes, kind: WSMsgType) -> None:
        await send(ws, message, kind)
        await takes.wait()

    monkeypatch.setattr(web.WebSocketResponse, "send_frame", send_slowly)
    async with session(server).ws_connect("/ws?after=0", compress=15) as ws:
        assert (await ws.receive_json())["cursor"] == 0
        assert (await ws.receive_json())["id"] == 1
        server.publish(*"x" * 100)  # the history holds nothing any more of what it has begun with
        takes.set()
        assert [(await ws.receive_json())["id"] for _ in range(AT_ONCE - 1)][-1] == AT_ONCE
        assert (await ws.receive_json())["oldest"] == 101


async def clogged(
    server: Server, clock: Clock, open_wire: OpenWire, times: int, at_once: int
) -> tuple[Wire, Tally]:
    """Open a compressed socket that nobody reads; publish until it can be given no more."""
    wire = await open_wire(server, receive_buffer=4096)
    await wire.upgrade(PATH, "Sec-WebSocket-Extensions: permessage-deflate")
    tally, chance = server.app[STATS].modes["ws"], random.Random(1)
    taken = -1
    while taken < tally.deliveries:
        taken = tally.deliveries
        for _ in range(times):
            server.publish(*(chance.randbytes(2000).hex() for _ in range(at_once)))
            await clock.settle()
    return wire, tally


async def test_compressed_reader_that_answers_no_ping_is_dropped_with_all_it_has_not_read(
    clock: Clock, start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(deflate=True))
    _, tally = await clogged(server, clock, open_wire, times=1, at_once=200)
    assert tally.deliveries < server.feed.head, "the reader was not slow enough"
    await clock.advance(1.5 * HEARTBEAT_S)
    await until(lambda: tally.connections == 0)
    assert tally.silent == 1


async def test_compressed_reader_that_takes_nothing_and_sends_pongs_is_told_of_the_gap_and_cut_off(
    clock: Clock, start_server: StartServer, open_wire: OpenWire, session: Session
) -> None:
    server = await start_server(Settings(deflate=True, history=100))
    wire, tally = await clogged(server, clock, open_wire, times=20, at_once=10)
    async with session(server).get("/stats") as response:
        assert (await response.json())["behind"] == 1
    for _ in range(4):
        with contextlib.suppress(ConnectionError):  # it is cut off meanwhile
            await wire.send(UNASKED_PONG)
        await clock.advance(1)
    await until(lambda: tally.connections == 0)
    assert (tally.gaps, tally.stalled, tally.silent) == (1, 1, 0)
    async with session(server).get("/stats") as response:
        assert (await response.json())["behind"] == 0


async def test_who_reads_compressed_messages_can_speak_and_hears_of_the_end(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(deflate=True))
    async with session(server).ws_connect(PATH, compress=15) as ws:
        await ws.receive_json()
        await ws.send_str('{"sender": "ada", "text": "packed"}')
        assert (await ws.receive_json())["text"] == "packed"
        await ws.send_str('{"sender": "ada"}')
        assert "text" in (await ws.receive_json())["error"]
        await ws.send_bytes(b"packed")
        assert (await ws.receive()).data == 1003
    async with session(server).ws_connect(PATH, compress=15) as ws:
        await ws.receive_json()
        stopping = asyncio.create_task(server.stop())
        assert (await ws.receive()).data == 1001
        await stopping
