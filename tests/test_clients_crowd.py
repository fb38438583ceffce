"""A crowd is counted to the byte, costs a request what a measured client costs, and comes back."""

import asyncio
import itertools
import random
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from types import SimpleNamespace

import msgspec
import pytest
from aiohttp import WSCloseCode, web

from clients import joining
from clients.backoff import FIRST_S, LONGEST_S
from clients.bare import Listener, Poller
from clients.client import Client
from clients.crowd import Joined, Order, _fail, read
from clients.dialling import KEEPALIVE_S, socket_from
from clients.experiment import Ambition, plans
from clients.follower import Census, Follower
from clients.frames import CLOSE, HEAD_END, text_frame
from clients.log import Settings
from clients.modes import MODES
from clients.pace import Pace
from clients.place import Place
from clients.plan import Outcome
from clients.readers import Stage, _client, _read
from clients.recorder import Recorder
from demo.app import Settings as DemoSettings
from demo.message import Message, News, encode
from demo.peer import Peer
from demo.sockets import HEARTBEAT_S, SOCKETS
from demo.stats import STATS
from demo.tally import Tally
from tests.conftest import Clock, Server, StartServer, until, until_delivered
from tests.test_clients_backoff import Highest, answering
from tests.test_clients_experiment import tiny

SETTINGS = Settings(
    clients=10, rate_per_s=5, interval_s=0.02, hold_s=25, duration_s=1, warmup_s=0.5
)
EMPTY_PING = b"\x89\0"
every_mode = pytest.mark.parametrize("mode", MODES)


def order(server: Server, mode: str, last: int, settings: Settings = SETTINGS) -> Order:
    place = Place(server.feed.epoch, server.feed.head)
    return Order(server.url, mode, (4, settings.clients), settings, place, last, "seed")


def tally(server: Server, mode: str) -> Tally:
    return server.app[STATS].modes[mode]


async def census_of(wanted: Order, server: Server, texts: list[str]) -> Census:
    """Let a crowd read the texts, published as soon as everyone is there, one by one."""
    report: list[Census] = []
    reading = asyncio.create_task(read(wanted, report))
    await until(lambda: tally(server, wanted.mode).requests >= 7)
    for number, text in enumerate(texts, start=1):
        server.publish(text)
        await until_delivered(tally(server, wanted.mode), 7 * number)
    await reading
    await until(lambda: tally(server, wanted.mode).connections == 0)
    return report[0]


@pytest.mark.both_loops
@every_mode
@pytest.mark.parametrize("keepalive", [True, False])
async def test_crowd_and_server_agree_to_the_byte(
    server: Server, mode: str, keepalive: bool
) -> None:
    settings = msgspec.structs.replace(SETTINGS, keepalive=keepalive)
    texts = ["a", "b" * 200, "c" * 1000, "ä€😀", "e"]
    census = await census_of(order(server, mode, 5, settings), server, texts)
    counts, seen = tally(server, mode), census.tally
    assert (seen.requests, seen.bytes_up) == (counts.requests, counts.bytes_in)
    assert (census.deliveries, seen.bytes_down) == (counts.deliveries, counts.bytes_out)
    assert census.received == dict.fromkeys(range(1, 6), 7)
    assert (census.duplicates, census.out_of_order, seen.failures) == (0, 0, 0)
    assert seen.connections == (7 if keepalive or mode == "ws" else seen.requests)


@every_mode
@pytest.mark.parametrize("keepalive", [True, False])
async def test_request_of_the_crowd_is_as_long_as_a_measured_one(
    server: Server, mode: str, keepalive: bool
) -> None:
    recorder = Recorder(run=1)
    place = Place(server.feed.epoch, 0)
    server.publish("one")
    client = Client(1, server.url, recorder, place, random.Random(1), keepalive=keepalive)
    messages = MODES[mode].messages(client, Pace(0.02, 0, 25))
    async with client, aclosing(messages):
        await anext(messages)
    settings = msgspec.structs.replace(SETTINGS, clients=4, keepalive=keepalive)
    report: list[Census] = []
    wanted = msgspec.structs.replace(order(server, mode, 1, settings), place=place)
    await read(wanted, report)
    (row,), (census,) = recorder.requests, report
    assert census.tally.requests == 1
    assert (census.tally.bytes_up, census.tally.bytes_down) == (row.bytes_up, row.bytes_down)


@every_mode
async def test_pings_and_quiet_times_break_nothing(clock: Clock, server: Server, mode: str) -> None:
    report: list[Census] = []
    settings = msgspec.structs.replace(SETTINGS, interval_s=5)
    reading = asyncio.create_task(read(order(server, mode, 1, settings), report))
    await clock.advance(100)  # several heartbeats, holds and intervals
    (census,), counts = report, tally(server, mode)
    asked = {"short": 7 * 20, "long": 7 * 4, "ws": 7}[mode]
    assert asked <= census.tally.requests <= asked + 7
    server.publish("at last")
    await clock.advance(5)
    await reading
    await until(lambda: counts.connections == 0)
    assert (census.tally.bytes_up, census.tally.bytes_down) == (counts.bytes_in, counts.bytes_out)
    assert census.tally.failures == 0


async def test_measured_reader_answers_a_ping_and_reads_on(server: Server) -> None:
    client = Client(1, server.url, Recorder(1), Place(server.feed.epoch, 0), random.Random(1))
    server.publish("one")
    async with client, aclosing(MODES["ws"].messages(client, Pace(0, 0, 25))) as messages:
        await anext(messages)
        (peer,) = server.app[SOCKETS]
        assert isinstance(peer, Peer)
        assert not peer.beat(peer.alive_s + HEARTBEAT_S)
        assert peer.pinged_s is not None
        reading = asyncio.ensure_future(anext(messages))
        await until(lambda: peer.pinged_s is None)  # as after any sign of life
        server.publish("two")
        assert (await reading).id == 2


ASK = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)
REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"
LAST = Message(1, "ada", "the last", 0, 0)
NEWS = encode(News("epoch", 1, (LAST,)))
ANSWERS = {
    "short": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(NEWS), NEWS),
    "ws": b"HTTP/1.1 101 Switching Protocols\r\n\r\n" + text_frame(encode(LAST)),
}


@pytest.mark.parametrize("mode", ANSWERS)
async def test_who_is_refused_comes_again_and_takes_what_comes_in_pieces(
    clock: Clock, mode: str
) -> None:
    answers = [REFUSAL, ANSWERS[mode]]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(HEAD_END)
        for byte in answers.pop(0):
            writer.write(bytes([byte]))
            await clock.settle()
        await reader.read(1)  # a goodbye, or the end
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        report: list[Census] = []
        wanted = Order(url, mode, (1, 1), SETTINGS, Place("epoch", 0), 1, "seed")
        reading = asyncio.create_task(read(wanted, report))
        await until(lambda: report != [] and report[0].tally.failures == 1)
        await clock.advance(LONGEST_S)
        await reading
        await clock.settle()  # until the server has hung up too
    (census,) = report
    assert census.trouble == ""
    assert (census.received, census.tally.failures) == ({1: 1}, 1)
    assert census.tally.bytes_down == len(REFUSAL + ANSWERS[mode])


def polling(crowd: joining.Crowd) -> Poller:
    return Poller(crowd, lambda: ASK, lambda *_: True, itertools.repeat(0.0))


def listening(crowd: joining.Crowd) -> Listener:
    return Listener(crowd, lambda: ASK, lambda _: True)


async def came_at(
    clock: Clock,
    member: Callable[[joining.Crowd], joining.Member],
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
    during_s: float,
) -> list[float]:
    """Let one of a crowd be answered so for a while; return the pauses between its requests."""
    asked_at: list[float] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        asked_at.append(clock.time())
        return await answer(request)

    async with answering(handle) as url:
        crowd = joining.Crowd(url, 1, Highest())
        await member(crowd).connect()
        await clock.advance(during_s)
        crowd.end()
    return [later - earlier for earlier, later in itertools.pairwise(asked_at)]


@pytest.mark.parametrize("member", [polling, listening])
@pytest.mark.parametrize(("headers", "wanted_s"), [({}, 0), ({"Retry-After": "7"}, 7)])
async def test_a_counted_reader_that_is_refused_comes_back_when_it_may_and_later_and_later(
    clock: Clock,
    member: Callable[[joining.Crowd], joining.Member],
    headers: dict[str, str],
    wanted_s: float,
) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503, headers=headers)

    pauses_s = await came_at(clock, member, refuse, 3 * wanted_s + 7.5 * FIRST_S)
    assert pauses_s == pytest.approx([wanted_s + each * FIRST_S for each in (1, 2, 4)], abs=0.01)


@pytest.mark.parametrize(("texts", "grown"), [(1, (1, 2, 4)), (2, (1, 1, 1))])
async def test_a_counted_socket_that_is_only_greeted_comes_back_later_and_later(
    clock: Clock, texts: int, grown: tuple[int, ...]
) -> None:
    async def greet(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        for _ in range(texts):
            await ws.send_str("hi")
        assert request.transport is not None
        request.transport.abort()
        return ws

    pauses_s = await came_at(clock, listening, greet, (sum(grown) + 0.5) * FIRST_S)
    assert pauses_s == pytest.approx([each * FIRST_S for each in grown], abs=0.01)


async def test_ping_that_crosses_a_goodbye_is_not_answered() -> None:
    said = b""

    async def push(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal said
        await reader.readuntil(HEAD_END)
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        last = text_frame(encode(Message(1, "ada", "the last", 0, 0)))
        writer.write(last + EMPTY_PING)
        said = await reader.readexactly(8)
        writer.write_eof()
        said += await reader.read()
        writer.close()

    async with await asyncio.start_server(push, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        report: list[Census] = []
        await read(Order(url, "ws", (1, 1), SETTINGS, Place("epoch", 0), 1, "seed"), report)
    assert (len(said), said[0] & 0x0F) == (8, CLOSE)
    assert report[0].tally.failures == 0


@pytest.mark.parametrize("share", [0.9, 1.1])
async def test_poller_keeps_its_connection_over_no_longer_a_pause_than_a_measured_one(
    clock: Clock, server: Server, share: float
) -> None:
    report: list[Census] = []
    settings = msgspec.structs.replace(SETTINGS, interval_s=share * KEEPALIVE_S)
    reading = asyncio.create_task(read(order(server, "short", 1, settings), report))
    await clock.advance(3.5 * settings.interval_s)
    server.publish("at last")
    await clock.advance(settings.interval_s)
    await reading
    seen = report[0].tally
    assert seen.requests > 4 * 7
    # The first pauses lie evenly within the interval: of seven, six or all are shorter than that.
    assert seen.connections == 7 if share < 1 else seen.requests - seen.connections in {6, 7}
    assert seen.failures == 0


@every_mode
async def test_reader_behind_the_history_misses_what_is_gone(
    clock: Clock, start_server: StartServer, mode: str
) -> None:
    server = await start_server(DemoSettings(history=3))
    wanted = order(server, mode, 8)
    server.publish(*"abcdefgh")
    report: list[Census] = []
    reading = asyncio.create_task(read(wanted, report))
    await clock.advance(LONGEST_S)
    await reading
    assert report[0].received == dict.fromkeys((6, 7, 8), 7)


@every_mode
async def test_crowd_comes_back_to_a_server_that_does(
    clock: Clock, start_server: StartServer, mode: str
) -> None:
    first = await start_server()
    report: list[Census] = []
    wanted = Order(first.url, mode, (1, 3), SETTINGS, Place("of the first", 0), 1, "seed")
    reading = asyncio.create_task(read(wanted, report))
    await clock.advance(0.1)
    await first.stop()
    await clock.advance(LONGEST_S)
    assert report[0].tally.failures >= 3
    second = await start_server(port=first.port)
    second.publish("back again")
    await clock.advance(2 * LONGEST_S)
    await reading
    assert report[0].received == {1: 3}


@pytest.mark.parametrize(("broken", "failures"), [(True, 1), (False, 0)])
@pytest.mark.parametrize("measured", [True, False])
async def test_a_socket_that_breaks_is_a_failure_and_one_that_the_server_closes_is_none(
    clock: Clock, broken: bool, failures: int, measured: bool
) -> None:
    opened = 0

    async def part_once(request: web.Request) -> web.StreamResponse:
        nonlocal opened
        opened += 1
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        if opened == 1 and broken:
            assert request.transport is not None
            request.transport.abort()
        elif opened == 1:
            await ws.close(code=WSCloseCode.GOING_AWAY)
        else:
            await ws.send_str(encode(Message(1, "ada", "the last", 0, 0)).decode())
            await ws.receive()
        return ws

    outcome = Outcome(plans(Ambition(tiny("ws", clients=1), seed=1))[0])
    place, report = Place("epoch", 0), list[Census]()
    async with answering(part_once) as url:
        stage = Stage(None, url, None)  # type: ignore[arg-type]
        if measured:
            work = _read(_client(outcome, stage, place, 1), outcome, 1)
        else:
            work = read(Order(url, "ws", (1, 1), SETTINGS, place, 1, "seed"), report)
        reading = asyncio.create_task(work)
        await clock.advance(LONGEST_S)
        await reading
    outcome.census = report[0] if report else outcome.census
    row, _, _ = outcome.rows()
    assert (opened, row.failures) == (2, failures)


@every_mode
async def test_crowd_that_was_dismissed_does_not_come_back(
    clock: Clock, start_server: StartServer, mode: str
) -> None:
    server = await start_server()
    report: list[Census] = []
    reading = asyncio.create_task(read(order(server, mode, 1), report))
    await clock.advance(0.1)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await server.stop()
    await clock.advance(LONGEST_S)
    assert report[0].tally.connections > 0
    assert report[0].tally.failures == 0


@every_mode
async def test_who_has_joined_is_told(server: Server, mode: str) -> None:
    told: list[int] = []
    server.publish("so that a long poll has its answer")
    wanted = msgspec.structs.replace(
        order(server, mode, 2), place=Place(server.feed.epoch, 0), numbers=(1, 101)
    )
    reading = asyncio.create_task(read(wanted, [], told.append))
    await until(lambda: len(told) == 3)
    server.publish("the last")
    await reading
    assert told == [50, 100, 101]
    await until(lambda: tally(server, mode).connections == 0)


async def test_crowd_joins_no_faster_than_it_is_answered(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joining, "MOST_AHEAD", 60)
    connected, answering = 0, asyncio.Event()
    news = encode(News("epoch", 1, (Message(1, "ada", "the last", 0, 0),)))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connected
        connected += 1
        await answering.wait()
        await reader.readuntil(HEAD_END)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(news) + news)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        wanted = Order(url, "short", (1, 200), SETTINGS, Place("epoch", 0), 1, "seed")
        reading = asyncio.create_task(read(wanted, []))
        await clock.advance(5)
        assert connected == 100  # two batches: 60 may be ahead, and are not after one
        answering.set()
        await clock.advance(5)
        await reading
    assert connected == 200


async def test_error_that_nobody_expected_ends_the_crowd_and_is_its_trouble(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> bool:
        raise IndexError("a bug")

    monkeypatch.setattr(Follower, "take", fail)
    report: list[Census] = []
    wanted = msgspec.structs.replace(order(server, "short", 1), numbers=(1, 1))
    await read(wanted, report)
    assert report[0].trouble == "IndexError('a bug')"


async def test_a_fault_that_no_connection_explains_ends_a_crowd_and_a_warning_does_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    crowd = joining.Crowd("http://127.0.0.1:1", 1, random.Random(1))
    loop = asyncio.get_running_loop()
    _fail(crowd, loop, {"message": "slow"})
    assert crowd.error is None
    assert "slow" in caplog.text

    async def fail() -> None:
        raise ZeroDivisionError

    crowd.start(fail())
    await crowd.gone.wait()
    assert isinstance(crowd.error, ZeroDivisionError)


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address, unless more are added")
@pytest.mark.parametrize(("platform", "chosen"), [("linux", False), ("darwin", True)])
def test_the_port_to_come_from_is_chosen_late_where_the_system_can(
    monkeypatch: pytest.MonkeyPatch, platform: str, chosen: bool
) -> None:
    monkeypatch.setattr("clients.dialling.sys", SimpleNamespace(platform=platform))
    with socket_from("127.0.0.2") as sock:
        address, port = sock.getsockname()
        assert (address, port != 0) == ("127.0.0.2", chosen)


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address, unless more are added")
async def test_crowd_comes_from_several_addresses(server: Server) -> None:
    wanted = msgspec.structs.replace(order(server, "ws", 1), sources=3)
    reading = asyncio.create_task(read(wanted, []))
    await until(lambda: tally(server, "ws").connections == 7)
    peers = {transport.get_extra_info("peername")[0] for transport in server.app[SOCKETS].values()}
    assert peers == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}
    server.publish("the last")
    await reading


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address, unless more are added")
async def test_measured_clients_come_from_several_addresses(server: Server) -> None:
    outcome = Outcome(plans(Ambition(tiny("ws"), seed=1))[0])
    stage = Stage(None, server.url, None, sources=2)  # type: ignore[arg-type]
    server.publish("one")
    async with AsyncExitStack() as stack:
        for number in (1, 2, 3):
            client = _client(outcome, stage, Place(server.feed.epoch, 0), number)
            messages = MODES["ws"].messages(client, Pace(0, 0, 25))
            await stack.enter_async_context(client)
            await anext(await stack.enter_async_context(aclosing(messages)))
        transports = server.app[SOCKETS].values()
        peers = sorted(transport.get_extra_info("peername")[0] for transport in transports)
        assert peers == ["127.0.0.1", "127.0.0.2", "127.0.0.2"]


async def test_process_reports_what_it_has_when_its_input_closes(server: Server) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clients.crowd"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    process.stdin.write(encode(order(server, "long", 1000)) + b"\n")
    await until(lambda: tally(server, "long").requests == 7)
    server.publish("the first of a thousand")
    await until(lambda: tally(server, "long").requests == 14)  # who asks again has read it
    process.stdin.close()
    out, _ = await process.communicate()
    *joined, last = out.splitlines()
    assert msgspec.json.decode(joined[-1], type=Joined) == Joined(7)
    census = msgspec.json.decode(last, type=Census)
    assert process.returncode == 0
    assert census.received == {1: 7}
    await until(lambda: tally(server, "long").connections == 0)
