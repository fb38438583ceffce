"""Bounds on connections: who is let in, who is told why not, and who is cut off."""

import asyncio
import json
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterable
from typing import cast

import pytest
from aiohttp import ClientSession

from demo.answers import MAX_ANSWER_BYTES
from demo.app import Settings, make_app
from demo.bounds import LOOPBACK, Bounds, bounds_of
from demo.doors import DOORS, WATCH_S, DoorProtocol
from demo.farewell import FAREWELL_S
from demo.files import SPARE, are_scarce
from demo.options import parse
from demo.refusals import Refusals
from demo.sites import PerSite
from demo.stats import STATS
from demo.tally import Tally
from demo.timed import LEAST_RATE, TimedProtocol
from tests.conftest import Clock, OpenWire, Server, Session, StartServer, Wire, until

ASK = "/short-poll"


def error_of(answer: bytes) -> str:
    return str(json.loads(answer.partition(b"\r\n\r\n")[2])["error"])


def refusals(server: Server) -> Refusals:
    return server.app[STATS].refusals


def open_connections(server: Server) -> int:
    return len(server.app[DOORS]._open)


# Counts


@pytest.mark.both_loops
@pytest.mark.parametrize(
    ("bounds", "option"),
    [
        (Bounds(connections=2), "--max-connections"),
        (Bounds(of_address=2, loopback=True), "--max-connections-per-address"),
    ],
)
async def test_one_connection_too_many_is_a_503_that_names_the_limit_until_another_has_gone(
    start_server: StartServer, open_wire: OpenWire, bounds: Bounds, option: str
) -> None:
    server = await start_server(Settings(bounds=bounds))
    wires = [await open_wire(server) for _ in range(2)]
    for wire in wires:
        assert (await wire.request(ASK)).startswith(b"HTTP/1.1 204 ")
    refused = await open_wire(server)
    answer = await refused.request(ASK)
    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in answer
    assert f"the 2 connections of {option}: try again later" in error_of(answer)
    await refused.end()
    counted = refusals(server)
    assert counted.connections + counted.of_address == 1
    assert (await wires[0].request(ASK)).startswith(b"HTTP/1.1 204 ")
    wires[1].close()
    await until(lambda: open_connections(server) == 1)
    assert (await (await open_wire(server)).request(ASK)).startswith(b"HTTP/1.1 204 ")
    assert server.app[STATS].other.connections == 0


async def test_this_machine_has_as_many_connections_and_holds_as_it_wants(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(bounds=Bounds(of_address=1, held_of_address=1)))
    wires = [await open_wire(server) for _ in range(3)]
    asking = [asyncio.create_task(wire.request("/long-poll")) for wire in wires]
    await until(lambda: server.app[STATS].modes["long"].requests == 3)
    server.publish("hi")
    for answer in await asyncio.gather(*asking):
        assert answer.startswith(b"HTTP/1.1 200 ")


async def with_one_refused(start_server: StartServer, open_wire: OpenWire) -> Server:
    """Return a server at which one reader is, and another has been told that it may not be."""
    server = await start_server(Settings(bounds=Bounds(connections=1)))
    first, second = await open_wire(server), await open_wire(server)
    await first.request(ASK)
    await second.response()
    return server


async def test_who_is_refused_and_stays_is_hung_up_on(
    clock: Clock, start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await with_one_refused(start_server, open_wire)
    farewells = server.app[DOORS].farewells
    assert len(farewells) == 1
    await clock.advance(FAREWELL_S + 0.1)
    await until(lambda: not farewells)


async def test_who_is_refused_and_stays_does_not_outlive_the_server(
    clock: Clock, start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await with_one_refused(start_server, open_wire)
    assert server.app[DOORS].farewells
    await server.stop()  # and the clock stands still
    await until(lambda: not server.app[DOORS].farewells)


async def test_of_very_many_who_are_refused_the_last_are_hung_up_on_without_a_word(
    start_server: StartServer, open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.farewell.MAX_FAREWELLS", 1)
    server = await start_server(Settings(bounds=Bounds(connections=1)))
    first, told, untold = [await open_wire(server) for _ in range(3)]
    await first.request(ASK)
    assert (await told.response()).startswith(b"HTTP/1.1 503 ")
    await untold.end()
    assert untold.got == b""
    assert refusals(server).connections == 2


async def test_too_many_long_polls_of_an_address_are_a_429_and_others_are_answered(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(bounds=Bounds(held_of_address=2, loopback=True)))
    wires = [await open_wire(server) for _ in range(3)]
    held = [asyncio.create_task(wire.request("/long-poll")) for wire in wires[:2]]
    await until(lambda: server.app[STATS].modes["long"].requests == 2)
    answer = await wires[2].request("/long-poll")
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert "all the 2 long polls of --max-held-per-address" in error_of(answer)
    assert refusals(server).held_of_address == 1
    assert (await wires[2].request(ASK)).startswith(b"HTTP/1.1 204 ")
    server.publish("hi")
    await asyncio.gather(*held)
    assert (await wires[2].request("/long-poll?after=0")).startswith(b"HTTP/1.1 200 ")


async def test_a_long_poll_that_has_gone_is_no_longer_counted(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(bounds=Bounds(held_of_address=1, loopback=True)))
    gone, there = await open_wire(server), await open_wire(server)
    await gone.send(b"GET /long-poll HTTP/1.1\r\nHost: x\r\n\r\n")
    tally = server.app[STATS].modes["long"]
    await until(lambda: tally.requests == 1)
    gone.close()
    await until(lambda: tally.connections == 0)
    server.publish("hi")
    assert (await there.request("/long-poll?after=0")).startswith(b"HTTP/1.1 200 ")


def test_an_address_that_has_nothing_is_forgotten() -> None:
    sites = PerSite()
    for each in (sites.more, sites.more, sites.less):
        each("10.0.0.7")
    assert sites.has("10.0.0.7", 1)
    assert not sites.has("10.0.0.7", 2)
    sites.less("10.0.0.7")
    sites.less(None)
    assert not sites._of_site


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("10.0.0.7", "10.0.0.7"),
        ("::ffff:10.0.0.7", "10.0.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("127.9.9.9", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
    ],
)
def test_an_address_is_one_household(address: str, site: str | None) -> None:
    assert Bounds().site(address) == site
    assert Bounds(loopback=True).site(address) == (site or LOOPBACK)


async def test_more_connections_than_files_are_refused_in_time() -> None:
    demo = f"ulimit -n 64; exec {sys.executable} -m demo --port 0 --until-stdin-closes"
    process = subprocess.Popen(  # noqa: ASYNC220
        ["sh", "-c", demo],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        url = next(line.split()[2] for line in lines if line.startswith("Listening on"))
        statuses = []
        async with ClientSession(url) as session:
            sockets = [await session.ws_connect("/ws") for _ in range(32)]
            for _ in range(10):
                async with session.get("/short-poll") as response:
                    statuses.append(response.status)
            assert statuses == [503] * 10
            await sockets[0].close()
            async with session.get("/stats") as response:
                assert (await response.json())["limits"]["connections"] == 10
    finally:
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")


async def test_where_no_more_files_may_be_open_who_connects_is_hung_up_on_and_a_line_says_so_once(
    clock: Clock, server: Server, open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await open_wire(server)
    assert (await before.request(ASK)).startswith(b"HTTP/1.1 204 ")
    monkeypatch.setattr("demo.doors.are_scarce", lambda: True)
    for _ in range(2):
        await (await open_wire(server)).end()
    assert refusals(server).files == 2
    assert (await before.request(ASK)).startswith(b"HTTP/1.1 204 ")
    await clock.advance(WATCH_S)
    assert len(server.said) == 1
    monkeypatch.undo()
    assert (await (await open_wire(server)).request(ASK)).startswith(b"HTTP/1.1 204 ")
    await clock.advance(WATCH_S)
    assert server.said == [
        "No more files may be open: who connects is hung up on until others have gone (ulimit -n)",
        "More files may be open again: who connects is let in",
    ]
    assert open_connections(server) == 2
    assert server.app[STATS].other.connections == 0


def test_without_a_limit_of_open_files_as_many_may_come_as_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    infinite = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    monkeypatch.setattr(resource, "getrlimit", lambda _: infinite)
    for wanted in (0, 50):
        options = parse(["--max-connections", str(wanted)])
        assert bounds_of(options).connections == wanted


def test_files_are_scarce_when_the_next_is_one_of_the_last() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    following = os.dup(0)
    os.close(following)
    try:
        for spare, scarce in ((SPARE + 1, False), (SPARE, True), (0, True)):
            resource.setrlimit(resource.RLIMIT_NOFILE, (following + spare, hard))
            assert are_scarce() is scarce
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Times


async def test_a_head_that_dribbles_in_is_a_408(clock: Clock, server: Server, wire: Wire) -> None:
    await wire.send(b"GET /short-poll HTTP/1.1\r\nHost: ")
    for _ in range(2):
        await clock.advance(WATCH_S)
        await wire.send(b"x")
    await clock.advance(WATCH_S)
    answer = await wire.response()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "the 10 s of --request-timeout-s" in error_of(answer)
    await wire.end()
    assert refusals(server).slow_requests == 1


async def test_a_second_head_that_dribbles_in_is_a_408_too(clock: Clock, wire: Wire) -> None:
    await wire.request(ASK)
    await wire.send(b"GET /sh")
    await clock.advance(10 + 2 * WATCH_S)
    assert (await wire.response()).startswith(b"HTTP/1.1 408 ")


async def test_a_body_that_dribbles_in_is_counted(clock: Clock, server: Server, wire: Wire) -> None:
    await wire.send(b"POST /messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    await until(lambda: open_connections(server) == 1)
    await clock.settle()
    await clock.advance(10.1)
    assert (await wire.response()).startswith(b"HTTP/1.1 408 ")
    assert refusals(server).slow_requests == 1


async def test_who_asks_ahead_while_a_poll_is_held_is_not_cut_off(
    clock: Clock, server: Server, wire: Wire
) -> None:
    await wire.send(b"GET /long-poll?hold_s=100 HTTP/1.1\r\nHost: x\r\n\r\n")
    await wire.send(b"GET /short-poll?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
    await until(lambda: server.app[STATS].modes["long"].requests == 1)
    await clock.advance(60)
    server.publish("hi")
    for _ in range(2):
        assert (await wire.response()).startswith(b"HTTP/1.1 200 ")


async def test_who_asks_all_the_time_is_not_cut_off(
    clock: Clock, server: Server, wire: Wire
) -> None:
    for _ in range(20):
        await wire.send(b"GET /short-poll HTTP/1.1\r\n")
        await clock.advance(WATCH_S)  # the watch finds part of a request every time
        await wire.send(b"Host: x\r\n\r\n")
        assert (await wire.response()).startswith(b"HTTP/1.1 204 ")
    assert refusals(server).slow_requests == 0


async def test_a_connection_that_asks_nothing_is_closed(
    clock: Clock, start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(bounds=Bounds(idle_s=20)))
    never, before = await open_wire(server), await open_wire(server)
    await before.request(ASK)
    left = await open_wire(server)
    await left.request(ASK)
    left.close()
    await until(lambda: open_connections(server) == 2)
    await clock.advance(21)
    for wire in (never, before):
        await wire.end()
    await until(lambda: open_connections(server) == 0)
    assert refusals(server).idle == 2


async def test_an_answer_that_was_the_last_on_its_connection_is_not_idle(
    clock: Clock, start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(bounds=Bounds(idle_s=20)))
    wire = await open_wire(server)
    asked = asyncio.create_task(wire.request("/long-poll?hold_s=60", "Connection: close"))
    await until(lambda: server.app[STATS].modes["long"].requests == 1)
    await clock.advance(61)
    assert (await asked).startswith(b"HTTP/1.1 204 ")
    await wire.end()
    await until(lambda: open_connections(server) == 0)
    assert refusals(server).idle == 0


async def ask_for_all(clock: Clock, server: Server, wire: Wire) -> Tally:
    """Ask for more than the connection takes, and read nothing of it."""
    server.publish(*["x" * 4000] * 250)
    (connection,) = server.app[DOORS]._open
    transport = connection._transport
    full = 0
    while full < 10:  # the system takes some megabytes, by and by
        await wire.send(b"GET /short-poll?after=0 HTTP/1.1\r\nHost: x\r\n\r\n")
        await clock.settle()
        full = full + 1 if transport.get_write_buffer_size() else 0
    return server.app[STATS].modes["short"]


async def test_a_body_that_comes_after_its_answer_is_no_slow_request(
    clock: Clock, server: Server, wire: Wire
) -> None:
    head = b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"
    await wire.send(head)
    assert b" 404 " in await wire.response()
    await wire.send(b"12345")
    await clock.advance(10 + 2 * WATCH_S)
    assert refusals(server).slow_requests == 0
    assert (await wire.request(ASK)).startswith(b"HTTP/1.1 204 ")
    assert server.app[STATS].other.bytes_in == len(head) + 5


async def test_a_reader_that_takes_nothing_of_an_answer_is_cut_off(
    clock: Clock, server: Server, open_wire: OpenWire
) -> None:
    wire = await open_wire(server, receive_buffer=4096)
    await wire.request(ASK)
    tally = await ask_for_all(clock, server, wire)
    await clock.advance(29)
    assert (tally.connections, tally.stalled) == (1, 0)
    await clock.advance(1 + 2 * WATCH_S)
    await until(lambda: tally.connections == 0)
    assert tally.stalled == 1


async def test_a_reader_that_takes_its_answer_slowly_is_not(
    clock: Clock, server: Server, open_wire: OpenWire
) -> None:
    wire = await open_wire(server, receive_buffer=4096)
    await wire.request(ASK)
    tally = await ask_for_all(clock, server, wire)
    for _ in range(8):
        await wire.read(20_000)
        await clock.advance(20)
    assert (tally.connections, tally.stalled) == (1, 0)


class Full:
    """A transport with so much unsent; its peer's system has taken what was sent."""

    def __init__(self, sock: socket.socket) -> None:
        self.unsent = 0
        self.is_aborted = False
        self._socket = sock

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def get_extra_info(self, _: str) -> socket.socket:
        return self._socket

    def is_closing(self) -> bool:
        return self.is_aborted

    def abort(self) -> None:
        self.is_aborted = True


def test_a_socket_that_is_closed_already_troubles_nobody() -> None:
    sock = socket.socket()
    sock.close()
    assert look_at(Full(sock), [(0, 100), (29, 100)]).stalled == 0
    assert look_at(Full(sock), [(0, 100), (30, 100)]).stalled == 1


def test_a_longer_answer_after_a_short_one_is_no_stall() -> None:
    tally, bounds = Tally(), Bounds(stall_s=30)
    with socket.socket() as sock:
        transport = Full(sock)
        protocol = TimedProtocol(asyncio.Protocol(), tally)
        protocol._transport = cast(asyncio.Transport, transport)
        for now_s, unsent, claims in ((0, 30_000, 0), (10, 900_000, 1), (35, 500_000, 1)):
            protocol._meter.claims = claims
            transport.unsent = unsent
            protocol.look(now_s, bounds, Refusals())
        assert not transport.is_aborted
        protocol.look(65, bounds, Refusals())
        assert transport.is_aborted
    assert tally.stalled == 1


def look_at(transport: Full, looks: Iterable[tuple[float, int]], stall_s: float = 30) -> Tally:
    """Look at a connection with so much unsent at these times; return what is counted."""
    tally = Tally()
    protocol = TimedProtocol(asyncio.Protocol(), tally)
    protocol._transport = cast(asyncio.Transport, transport)
    for now_s, unsent in looks:
        transport.unsent = unsent
        protocol.look(now_s, Bounds(stall_s=stall_s), Refusals())
    return tally


def test_a_reader_that_takes_a_little_now_and_then_is_cut_off_in_the_end() -> None:
    with socket.socket() as sock:
        transport = Full(sock)
        size = MAX_ANSWER_BYTES
        most_s = 30 + size // LEAST_RATE
        assert look_at(transport, ((s, size - s) for s in range(0, most_s, 20))).stalled == 0
        assert not transport.is_aborted
        assert look_at(transport, ((s, size - s) for s in range(0, most_s + 20, 20))).stalled == 1
        assert transport.is_aborted


def test_an_answer_that_is_written_by_and_by_may_take_as_long_as_it_is_read() -> None:
    with socket.socket() as sock:
        transport = Full(sock)
        filled = ((s, 60_000 + 5_000 * (s // 20 % 2)) for s in range(0, 2000, 20))
        assert look_at(transport, filled).stalled == 0


# Turns


class Looked:
    """A connection that only counts who has been looked at, or hung up on."""

    def __init__(self, count: list[int]) -> None:
        self._count = count

    def look(self, *_: object) -> None:
        self._count[0] += 1

    def hang_up(self) -> None:
        self._count[0] += 1


@pytest.mark.parametrize("work", ["close", "watch"])
async def test_others_get_a_turn_while_many_connections_are_gone_through(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    monkeypatch.setattr("demo.doors.TURN", 2)
    doors, count = make_app()[DOORS], [0]
    doors._open = cast(set[DoorProtocol], {Looked(count) for _ in range(6)})
    working = asyncio.create_task(getattr(doors, work)())
    passing = asyncio.create_task(clock.advance(WATCH_S))
    seen = set()

    def done() -> bool:
        seen.add(count[0])
        return count[0] == 6

    await until(done)
    assert seen >= {2, 4, 6}
    await passing
    working.cancel()


async def test_who_has_gone_since_the_others_had_a_turn_is_not_looked_at(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.doors.TURN", 1)
    doors, counts = make_app()[DOORS], ([0], [0])
    pair = [Looked(count) for count in counts]
    doors._open = cast(set[DoorProtocol], set(pair))

    def leave() -> bool:
        for one, other in (pair, pair[::-1]):
            if one._count[0]:
                doors._open.discard(cast(DoorProtocol, other))
        return any(one._count[0] for one in pair)

    watching = asyncio.create_task(doors.watch())
    passing = asyncio.create_task(clock.advance(WATCH_S))
    await until(leave)
    await passing
    await clock.settle()
    watching.cancel()
    assert sorted(count[0] for count in counts) == [0, 1]


# What is counted is told


async def test_each_limit_has_its_counter_in_stats(
    start_server: StartServer, session: Session
) -> None:
    settings = Settings(
        max_text_bytes=20, max_body_bytes=100, max_sender_characters=5, publish_per_s=1
    )
    client = session(await start_server(settings))
    bodies = [
        {"sender": "ada", "text": "x" * 21},
        {"sender": "ada", "text": "x" * 100},
        {"sender": "adaaaa", "text": ""},
        {"sender": "ada", "text": "\x00"},
        {"sender": "ada", "text": "taken"},
        {"sender": "ada", "text": "too soon"},
    ]
    answers = []
    for body in bodies:
        async with client.post("/messages", json=body) as response:
            answers.append((response.status, (await response.json()).get("error", "")))
    assert answers == [
        (413, "the text has 21 bytes, the limit is 20"),
        (413, "the body is over 100 bytes"),
        (400, "the sender has 6 characters, the limit is 5"),
        (400, "the text has control characters: only tabs and newlines may be among it"),
        (201, ""),
        (429, "too fast: at most 1 messages a second from one address"),
    ]
    async with client.get("/stats") as response:
        limits = (await response.json())["limits"]
    assert {name: count for name, count in limits.items() if count} == {
        "text": 1,
        "body": 1,
        "sender": 1,
        "characters": 1,
        "rate": 1,
    }


def test_every_counter_is_explained() -> None:
    for struct in (Refusals, Tally):
        for name in struct.__struct_fields__:
            assert name in (struct.__doc__ or "")


def test_no_limit_troubles_who_measures() -> None:
    options = parse(["--publish-rate", "0"])
    assert options.publish_rate == 0
    assert options.max_connections >= 20_000 + 2
    assert not options.limit_loopback


async def test_a_connection_that_is_closed_and_not_read_is_cut_off_too(
    clock: Clock, server: Server, open_wire: OpenWire
) -> None:
    wire = await open_wire(server, receive_buffer=4096)
    await wire.request(ASK)
    tally = await ask_for_all(clock, server, wire)
    (connection,) = server.app[DOORS]._open
    connection._transport.close()
    await clock.advance(30 + 2 * WATCH_S)
    await until(lambda: tally.connections == 0)
    assert tally.stalled == 1
