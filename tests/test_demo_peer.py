"""A WebSocket that has been handed its connection keeps to the protocol, and no request."""

import asyncio
import contextlib
import gc
import weakref
from unittest.mock import Mock

import pytest
from aiohttp import ClientSession, WSMsgType, web
from aiohttp.test_utils import make_mocked_request
from aiohttp.web_protocol import RequestHandler
from pytest_aiohttp import AiohttpClient

from demo.app import make_app
from demo.fanout import FULL_BYTES
from demo.frames import CLOSE, CONTINUATION, PING, PONG, TEXT_CODE, control_frame
from demo.metering import Meter
from demo.peer import CLOSE_S, MOST_UNHEARD, MOST_UNSENT, TURN_BYTES, Peer
from demo.publishing import PUBLISHING
from demo.sockets import SOCKETS
from demo.stats import STATS
from demo.upgrade import upgrade
from tests.conftest import Clock, OpenWire, Server, Wire, until
from tests.test_demo_frames import masked

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)

PATH = "/ws"
DRAFT = b'{"sender": "bob", "text": "hi"}'


def peer_of(server: Server) -> Peer:
    """Return the one peer that the server has."""
    (peer,) = server.app[SOCKETS]
    assert isinstance(peer, Peer)
    return peer


async def opened(wire: Wire) -> None:
    await wire.upgrade(PATH)
    await wire.frame()


async def closing(wire: Wire) -> int:
    opcode, payload = await wire.frame()
    assert opcode == CLOSE
    await wire.end()
    return int.from_bytes(payload[:2])


async def test_a_ping_is_answered_with_what_it_brought(wire: Wire) -> None:
    await opened(wire)
    await wire.send(masked(PING, b"are you there?"))
    assert await wire.frame() == (PONG, b"are you there?")


async def test_a_close_is_answered_with_its_code(wire: Wire, server: Server) -> None:
    await opened(wire)
    await wire.send(masked(CLOSE, b"\x03\xe9bye"))
    assert await closing(wire) == 1001
    await until(lambda: not server.app[SOCKETS])


async def test_what_came_with_the_handshake_is_heard(wire: Wire, server: Server) -> None:
    await wire.send(
        b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
        + masked(TEXT_CODE, DRAFT)
    )
    await wire.response()
    await wire.frame()
    await wire.frame()
    assert server.feed.head == 1


async def test_fragments_publish_one_message(wire: Wire, server: Server) -> None:
    await opened(wire)
    await wire.send(masked(TEXT_CODE, DRAFT[:10], fin=False))
    await wire.send(masked(PING, b""))
    await wire.send(masked(CONTINUATION, DRAFT[10:]))
    assert await wire.frame() == (PONG, b"")
    opcode, _ = await wire.frame()
    assert opcode == TEXT_CODE
    assert server.feed.head == 1


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (masked(TEXT_CODE, b"\xff"), 1007),
        (masked(0x3, b""), 1002),
        (masked(CLOSE, b"\x03"), 1002),
        (masked(TEXT_CODE, b"x" * 70_000), 1009),
    ],
)
async def test_who_breaks_the_protocol_is_told_the_code(
    wire: Wire, server: Server, frame: bytes, code: int
) -> None:
    await opened(wire)
    await wire.send(frame)
    assert await closing(wire) == code
    await until(lambda: not server.app[SOCKETS])
    counted = server.app[STATS].refusals
    assert (counted.body, counted.malformed) == (code == 1009, code != 1009)


async def test_a_frame_that_breaks_the_protocol_counts_when_it_comes_with_the_request(
    wire: Wire, server: Server
) -> None:
    await wire.send(HANDSHAKE + masked(0x3, b""))
    assert (await wire.response()).startswith(b"HTTP/1.1 101 ")
    await until(lambda: not server.app[SOCKETS] and server.app[STATS].refusals.malformed == 1)


async def test_texts_are_heard_in_their_order_however_many_come_at_once(
    wire: Wire, server: Server
) -> None:
    await opened(wire)
    count = 10 * MOST_UNHEARD
    drafts = [b'{"sender": "bob", "text": "%d"}' % number for number in range(count)]
    await wire.send(b"".join(masked(TEXT_CODE, draft) for draft in drafts))
    await until(lambda: server.feed.head == count)
    assert [entry.message.text for entry in server.feed.after(0)] == [
        str(number) for number in range(count)
    ]


@pytest.mark.both_loops
async def test_others_get_a_turn_while_a_peer_says_much_at_once(wire: Wire, server: Server) -> None:
    await opened(wire)
    peer = peer_of(server)
    ping, pong = masked(PING, b""), control_frame(PONG)
    pings = 2 * TURN_BYTES // len(ping)
    tally = server.app[STATS].modes["ws"]
    before = tally.bytes_out
    peer.data_received(ping * pings)
    assert tally.bytes_out - before < pings * len(pong)
    assert await wire.read(pings * len(pong)) == pong * pings
    await wire.send(masked(PING, b"do you read on?"))
    assert await wire.frame() == (PONG, b"do you read on?")


async def test_what_was_said_before_a_close_is_heard(wire: Wire, server: Server) -> None:
    await opened(wire)
    await wire.send(masked(TEXT_CODE, DRAFT) + masked(CLOSE, b"\x03\xe8"))
    await wire.end()
    await until(lambda: server.feed.head == 1)


async def test_answers_to_what_was_said_before_a_close_come_before_its_answer(wire: Wire) -> None:
    await opened(wire)
    await wire.send(masked(TEXT_CODE, b"{}") + masked(CLOSE, b"\x03\xe9") + masked(PING, b"late"))
    assert b"error" in (await wire.frame())[1]
    assert await closing(wire) == 1001


async def test_a_refusal_of_what_was_said_before_a_close_is_the_answer_to_it(wire: Wire) -> None:
    await wire.upgrade("/")
    await wire.send(masked(TEXT_CODE, b"\x07") + masked(CLOSE, b"\x03\xe8"))
    assert await closing(wire) == 1008


async def test_a_fault_in_hearing_closes_the_socket_with_1011(
    wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ZeroDivisionError

    faults: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: faults.append(context))
    monkeypatch.setattr(server.app[PUBLISHING], "publish_json", fail)
    await opened(wire)
    await wire.send(masked(TEXT_CODE, DRAFT))
    assert await closing(wire) == 1011
    loop.set_exception_handler(None)
    assert [type(fault["exception"]) for fault in faults] == [ZeroDivisionError]


async def test_who_makes_the_server_speak_and_takes_nothing_is_cut_off(
    server: Server, open_wire: OpenWire
) -> None:
    wire = await open_wire(server, receive_buffer=4096)
    await opened(wire)
    pings = masked(PING, b"x" * 125) * 500
    with contextlib.suppress(ConnectionError):
        for _ in range(1000):
            await wire.send(pings)
    await until(lambda: not server.app[SOCKETS])
    assert server.app[STATS].modes["ws"].stalled == 1


def test_what_a_fanout_gives_a_slow_reader_is_not_yet_too_much_for_a_ping() -> None:
    assert MOST_UNSENT >= 2 * FULL_BYTES


async def test_a_text_that_comes_as_the_one_before_has_been_heard_is_heard(
    wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(wire)
    peer = peer_of(server)
    loop = asyncio.get_running_loop()
    publish = server.app[PUBLISHING].publish_json

    async def hear(body: bytes | str, address: str | None, meter: Meter | None) -> None:
        await publish(body, address, meter)
        if server.feed.head < 5:  # in the turn in which hearing ends, and in the next ones
            for turns in range(4):
                later(turns)

    def later(turns: int) -> None:
        if turns:
            loop.call_soon(later, turns - 1)
        else:
            sent.append(loop.call_soon(peer.data_received, masked(TEXT_CODE, DRAFT)))

    sent: list[asyncio.Handle] = []
    monkeypatch.setattr(server.app[PUBLISHING], "publish_json", hear)
    await wire.send(masked(TEXT_CODE, DRAFT))
    await until(lambda: server.feed.head == 1 + len(sent))
    assert len(sent) == 16


async def test_a_reader_that_has_stood_still_is_asked_before_it_is_cut_off(
    clock: Clock, wire: Wire, server: Server
) -> None:
    await opened(wire)
    peer = peer_of(server)
    assert not peer.beat(clock.time() + 1000)
    assert await wire.frame() == (PING, b"")
    assert peer.beat(clock.time() + 2000)


async def test_who_is_not_read_while_the_log_hangs_is_not_cut_off_as_silent(
    clock: Clock, wire: Wire, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish, goes_on = server.app[PUBLISHING].publish_json, asyncio.Event()

    async def hang(body: bytes | str, address: str | None, meter: Meter | None) -> None:
        await goes_on.wait()
        await publish(body, address, meter)

    monkeypatch.setattr(server.app[PUBLISHING], "publish_json", hang)
    await opened(wire)
    await wire.send(masked(TEXT_CODE, DRAFT) * (MOST_UNHEARD + 8))
    await clock.advance(100)
    assert server.app[SOCKETS]
    goes_on.set()
    await until(lambda: server.feed.head == MOST_UNHEARD + 8)


async def test_who_has_gone_is_forgotten_without_a_collection(
    client: ClientSession, server: Server
) -> None:
    gc.disable()
    try:
        async with client.ws_connect(PATH) as ws:
            await ws.receive_json()
            (peer,) = server.app[SOCKETS]
            gone = weakref.ref(peer)
            del peer
        await until(lambda: gone() is None)
    finally:
        gc.enable()


async def test_a_peer_that_does_not_answer_a_close_is_cut_off(
    clock: Clock, wire: Wire, server: Server
) -> None:
    await opened(wire)
    (peer,) = server.app[SOCKETS]
    closing = asyncio.create_task(peer.close(code=1001))
    assert (await wire.frame())[0] == CLOSE
    await clock.advance(CLOSE_S - 0.1)
    assert not closing.done()
    await clock.advance(0.2)
    await closing
    await until(lambda: not server.app[SOCKETS])
    assert server.app[STATS].modes["ws"].stalled == 1


async def test_all_who_wait_for_a_peer_to_go_hear_of_it_and_it_is_closed_once(
    client: ClientSession, server: Server
) -> None:
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        peer = peer_of(server)
        waiting = [asyncio.create_task(peer.gone()) for _ in range(2)]
        closing = asyncio.create_task(peer.close())
        assert (await ws.receive()).type == WSMsgType.CLOSE
    assert await closing
    await asyncio.gather(*waiting, peer.gone())
    assert not await peer.close()


async def test_nothing_is_said_after_a_close(wire: Wire, server: Server) -> None:
    await opened(wire)
    peer = peer_of(server)
    task = asyncio.create_task(peer.close(code=1001))
    assert (await wire.frame())[0] == CLOSE
    await wire.send(masked(PING, b"?") + masked(TEXT_CODE, DRAFT) + masked(CLOSE, b"\x03\xe9"))
    with pytest.raises(EOFError):
        await wire.frame()
    await task
    assert server.feed.head == 0


async def test_the_request_is_forgotten_and_the_server_knows_no_connection_of_it(
    client: ClientSession, server: Server
) -> None:
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        (peer,) = server.app[SOCKETS]
        await until(lambda: _handlers_of(peer) == 0)
        server.publish("hi")
        assert (await ws.receive_json())["text"] == "hi"
        assert server.app[STATS].modes["ws"].connections == 1
    await until(lambda: server.app[STATS].modes["ws"].connections == 0)


def _handlers_of(peer: object) -> int:
    """Count aiohttp's protocols that still lead to this peer."""
    gc.collect()
    handlers = [each for each in gc.get_objects() if isinstance(each, RequestHandler)]
    return sum(each._payload_parser is peer for each in handlers)


@pytest.mark.parametrize(
    ("header", "value", "reason"),
    [
        ("Upgrade", "h2c", "this is no WebSocket upgrade"),
        ("Connection", "keep-alive", "the Connection header does not ask for the upgrade"),
        ("Sec-WebSocket-Version", "12", "the version of WebSocket must be 13"),
        ("Sec-WebSocket-Key", "short", "Sec-WebSocket-Key must be 16 bytes in base64"),
        ("Content-Length", "3", "a WebSocket is opened by a request without a body"),
        ("Transfer-Encoding", "chunked", "a WebSocket is opened by a request without a body"),
    ],
)
async def test_a_handshake_that_lacks_something_is_told_what(
    client: ClientSession, header: str, value: str, reason: str
) -> None:
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }
    async with client.get(PATH, headers=headers | {header: value}) as response:
        assert response.status == 400
        assert (await response.json())["error"] == f"{reason}: open this address as a WebSocket"


async def test_a_handshake_of_http_1_0_is_told_what_it_takes(wire: Wire) -> None:
    await wire.send(HANDSHAKE.replace(b"HTTP/1.1", b"HTTP/1.0"))
    answer = await wire.response()
    assert answer.split(maxsplit=2)[1] == b"400"
    assert b"a WebSocket is opened by a GET of HTTP/1.1" in answer


async def test_who_has_gone_before_its_upgrade_is_refused_and_is_no_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fields = (line.split(b": ") for line in HANDSHAKE.splitlines()[1:-1])
    headers = {name.decode(): value.decode() for name, value in fields}
    request = make_mocked_request("GET", PATH, headers)
    monkeypatch.setattr(request.protocol, "transport", None)
    with pytest.raises(web.HTTPBadRequest) as refusal:
        upgrade(request, {}, Mock(), Mock(), Mock(), 1000, 30)
    assert "the client has gone" in (refusal.value.text or "")


async def test_a_server_that_counts_no_bytes_hands_its_connections_over_too(
    aiohttp_client: AiohttpClient,
) -> None:
    app = make_app()
    client = await aiohttp_client(app)  # whose server is aiohttp's own, for tests
    async with client.ws_connect(PATH) as ws:
        await ws.receive_json()
        await ws.send_json({"sender": "ada", "text": "hi"})
        assert (await ws.receive_json())["text"] == "hi"
    await until(lambda: not app[SOCKETS])


async def test_the_accept_is_the_one_of_the_standard(wire: Wire) -> None:
    head = await wire.request(
        PATH,
        "Upgrade: websocket",
        "Connection: keep-alive, Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    )
    assert b"\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in head


async def test_aiohttps_client_finds_an_open_socket(client: ClientSession) -> None:
    async with client.ws_connect(PATH, autoping=False) as ws:
        await ws.receive_json()
        await ws.ping(b"?")
        pong = await ws.receive()
        assert (pong.type, pong.data) == (WSMsgType.PONG, b"?")
        assert await ws.close(code=1000)
        assert ws.close_code == 1000
