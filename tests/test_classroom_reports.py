"""What readers report, and what the class sees of it."""

import time
from typing import Any

import pytest
from aiohttp import ClientSession

from demo.app import Settings
from demo.bounds import Bounds
from demo.classroom import lanes as lanes_module
from demo.classroom.classroom import CLASSROOM, Classroom
from demo.classroom.lanes import FORGET_S, Arrival, Lanes
from demo.classroom.rows import CHUNK, Rows
from demo.message import MAX_CURSOR, MAX_NS
from demo.stats import STATS
from tests.conftest import Clock, OpenWire, Server, Session, StartServer


@pytest.fixture
async def server(clock: Clock, start_server: StartServer) -> Server:
    return await start_server(Settings(token="known"))


@pytest.fixture
def room(server: Server) -> Classroom:
    return server.app[CLASSROOM]


def delivery(message: int, latency_ms: float = 1.0) -> list[int]:
    now = time.perf_counter_ns()
    return [message, now, now, now + round(latency_ms * 1e6)]


def request(status: int = 200, messages: int = 1) -> list[int]:
    now = time.perf_counter_ns()
    return [now, now + 1000, status, messages, 1]


def report(reader: str = "r", mode: str = "short", **parts: object) -> dict[str, object]:
    return {"reader": reader, "mode": mode, "clock_error_ms": 1, **parts}


async def send(client: ClientSession, body: object, status: int = 200) -> Any:
    async with client.post("/class/reports", json=body) as response:
        assert response.status == status, await response.text()
        return await response.json()


async def read(client: ClientSession, reader: str = "r") -> None:
    async with client.get("/short-poll", params={"after": 0, "reader": reader}) as response:
        await response.read()


async def modes(client: ClientSession, clock: Clock) -> Any:
    await clock.advance(1)  # an overview may be half a second old
    async with client.get("/class") as response:
        return (await response.json())["modes"]


async def test_a_report_is_answered_with_what_a_reader_should_know(
    client: ClientSession, server: Server
) -> None:
    await read(client)
    server.publish("one", "two")
    answer = await send(client, report())
    own, stand = {"guess", "tallies", "left_out"}, {"epoch", "head"}
    assert set(answer) == {"settings", "now_ns", "stage", "run"} | own | stand
    assert (answer["epoch"], answer["head"]) == (server.feed.epoch, 2)
    assert set(answer["tallies"]) == {"short"}
    tally = answer["tallies"]["short"]
    assert (tally["requests"], tally["empty"]) == (1, 1)
    assert answer["stage"] == "chat"


async def test_latency_is_told_of_all_that_reported_lately(
    client: ClientSession, clock: Clock
) -> None:
    await read(client)
    rows = [delivery(n, latency_ms=n) for n in range(1, 102)]
    await send(client, report(deliveries=rows))
    figures = (await modes(client, clock))["short"]
    assert figures["readers"] == 1
    shown = [figures[f"latency_{name}_ms"] for name in ("p50", "p90", "max")]
    assert shown == [51, 91, 101]
    assert figures["clock_error_ms"] == 1
    await clock.advance(10)
    figures = (await modes(client, clock))["short"]
    assert (figures["readers"], figures["latency_p50_ms"]) == (0, None)


async def test_rates_are_the_servers_counts_between_reports(
    client: ClientSession, clock: Clock, server: Server
) -> None:
    await read(client)
    await send(client, report())
    for _ in range(6):
        async with client.get("/short-poll?after=0&reader=r") as response:
            assert response.status == 204
    server.publish("one")
    for _ in range(2):
        async with client.get("/short-poll?after=0&reader=r") as response:
            await response.read()
    await clock.advance(3)
    figures = (await modes(client, clock))["short"]
    assert figures["requests_per_s"] == pytest.approx(2)
    assert figures["messages_per_s"] == pytest.approx(0.5)
    assert figures["empty_share"] == pytest.approx(0.75)
    assert figures["bytes_per_s"] is not None
    assert figures["bytes_per_s"] > 100


async def test_a_report_sent_twice_counts_once(client: ClientSession, room: Classroom) -> None:
    await read(client)
    for number in (1, 1, MAX_CURSOR, 1):
        await send(client, report(deliveries=[delivery(1)], number=number))
    assert len(room.reports.deliveries) == 2


async def test_rows_off_the_servers_clock_are_left_out_and_the_others_kept(
    client: ClientSession, room: Classroom
) -> None:
    await read(client)
    now = time.perf_counter_ns()
    before, after = now - 10**12, now + 10**12  # of a server before this one; of a clock of its own
    deliveries = [[1, before, before, now], [1, now, now, after], delivery(2)]
    requests = [[before, now, 200, 0, 1], [now, after, 200, 0, 1], request()]
    answer = await send(client, report(requests=requests, deliveries=deliveries))
    assert answer["left_out"] == 4
    assert [row[2] for row in room.reports.deliveries] == [2]
    assert len(room.reports.requests) == 1


async def test_a_message_of_the_latest_stamp_that_is_taken_spoils_no_report(
    client: ClientSession, room: Classroom
) -> None:
    await read(client)
    message = {"sender": "eve", "text": "", "sent_ns": MAX_NS}
    async with client.post("/messages", json=message) as response:
        assert response.status == 201
        sent_ns = (await response.json())["sent_ns"]
    number, published, _, received = delivery(1)
    await send(client, report(deliveries=[[number, published, sent_ns, received]]))
    assert len(room.reports.deliveries) == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        report(reader="=1+1"),
        report(reader="x" * 41),
        report() | {"reader": 7},
        report(mode="pigeon"),
        report(clock_error_ms=-1),
        report(clock_error_ms="much"),
        report(requests=[[1, 2]]),
        report(requests=[[1, 2, 200, 0, 1, 9]]),
        report(requests=[[2**70, 2**70, 200, 0, 1]]),
        report(requests=[[0.5, 1, 200, 0, 1]]),
        report(requests=[["=1+1", 2, 200, 0, 1]]),
        report(deliveries=[[-1, 0, 0, 0]]),
        report(deliveries=[["<script>", 0, 0, 0]]),
        report(name="eve"),
        report(number=-1),
        [],
        None,
    ],
)
async def test_rude_reports_are_a_400_and_leave_nothing(
    client: ClientSession, room: Classroom, body: object
) -> None:
    assert (await send(client, body, 400))["error"]
    assert len(room.reports.requests) == len(room.reports.deliveries) == 0


async def test_a_request_does_not_end_before_it_starts(client: ClientSession) -> None:
    started, ended, *rest = request()
    await send(client, report(requests=[[ended, started, *rest]]), 400)


async def test_rows_in_one_report_are_bounded(client: ClientSession) -> None:
    await read(client)
    await send(client, report(requests=[request()] * 1000))
    await send(client, report(requests=[request()] * 1001), 400)


async def test_a_reader_that_reports_without_pause_is_a_429(
    client: ClientSession, clock: Clock, server: Server
) -> None:
    for name in ("r", "another"):
        await read(client, name)
    for _ in range(10):
        await send(client, report())
    assert "too fast" in (await send(client, report(), 429))["error"]
    assert server.app[STATS].refusals.reports == 1
    await send(client, report("another"))
    await clock.advance(0.6)
    await send(client, report())


async def test_who_finds_no_room_is_answered_and_not_counted(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(bounds=Bounds(readers=2)))
    client = session(server)
    server.publish("one")
    for name in ("a", "b", "c", "c"):
        async with client.get(f"/short-poll?after=0&reader={name}") as response:
            assert response.status == 200
            assert len((await response.json())["messages"]) == 1
    async with client.ws_connect("/ws?after=0&reader=c") as ws:
        await ws.receive_json()
        assert (await ws.receive_json())["text"] == "one"
    async with client.get("/class") as response:
        assert (await response.json())["uncounted"] == 3
    async with client.get("/stats") as response:
        figures = await response.json()
    assert figures["limits"]["readers"] == 3
    assert figures["modes"]["short"]["requests"] == 4
    assert set(server.app[CLASSROOM].lanes.by_name) == {"a", "b"}
    await send(client, report("a"))


async def test_who_finds_no_room_has_its_connection_closed_as_it_asks(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    wire = await open_wire(await start_server(Settings(bounds=Bounds(readers=1))))
    for name in ("a", "b"):
        await wire.request(f"/short-poll?after=0&reader={name}")
    await wire.request("/short-poll?after=0&reader=b&close=1")
    await wire.end()


async def test_who_finds_no_room_sees_the_class_and_what_it_reports_is_not_kept(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(bounds=Bounds(readers=1)))
    client, room = session(server), server.app[CLASSROOM]
    await send(client, report("b"), 404)  # there would be room
    for name in ("a", "b"):
        await read(client, name)
    answer = await send(client, report("b", deliveries=[delivery(1)]))
    assert (answer["stage"], answer["guess"], answer["tallies"]) == ("chat", None, {})
    assert len(room.reports.deliveries) == 0
    await send(client, report("a", "long"), 404)


async def test_names_without_end_keep_nobody_who_found_no_room_from_seeing_the_class(
    start_server: StartServer, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "MAX_STRANGERS", 1)
    client = session(await start_server(Settings(bounds=Bounds(readers=1))))
    for name in ("a", "b", "c"):
        await read(client, name)
    for name in ("b", "c"):
        assert (await send(client, report(name)))["stage"] == "chat"


async def test_a_socket_that_found_no_room_sees_the_class_when_there_is_room_again(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(bounds=Bounds(readers=1)))
    client, lanes = session(server), server.app[CLASSROOM].lanes
    await read(client, "a")
    async with client.ws_connect("/ws?after=0&reader=b"):
        lanes.by_name["a"].seen_s -= FORGET_S + 1
        assert (await send(client, report("b", "ws")))["stage"] == "chat"
    await read(client, "b")
    assert set(lanes.by_name) == {"b"}
    await send(client, report("b", "ws"), 404)  # it is counted now, as a short poller


@pytest.mark.parametrize(
    ("bounds", "counter", "patience_s"),
    [
        (Bounds(loopback=True, readers_of_connection=3), "readers_of_connection", 11),
        (Bounds(loopback=True, readers_of_address=3), "readers_of_address", 301),
    ],
)
async def test_nobody_fills_the_class_with_invented_names(
    clock: Clock,
    start_server: StartServer,
    open_wire: OpenWire,
    bounds: Bounds,
    counter: str,
    patience_s: float,
) -> None:
    server = await start_server(Settings(bounds=bounds))
    refusals, lanes = server.app[STATS].refusals, server.app[CLASSROOM].lanes
    wire = await open_wire(server)
    for number in (0, 1, 2, 3, 0):
        answer = await wire.request(f"/short-poll?after=0&reader=made.{number}")
        assert answer[9:12] == b"204"
    assert (len(lanes.by_name), getattr(refusals, counter)) == (3, 1)
    await clock.advance(patience_s)
    if patience_s > Bounds().idle_s:
        wire = await open_wire(server)
    await wire.request("/short-poll?after=0&reader=made.3")
    assert "made.3" in lanes.by_name
    assert getattr(refusals, counter) == 1


async def test_a_reader_on_a_connection_of_its_own_is_counted_beside_one_that_has_too_many(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    bounds = Bounds(loopback=True, readers_of_connection=1)
    server = await start_server(Settings(bounds=bounds))
    wires, lanes = [await open_wire(server) for _ in range(2)], server.app[CLASSROOM].lanes
    for wire, reader, counted in ((0, "a", True), (0, "b", False), (1, "b", True)):
        await wires[wire].request(f"/short-poll?after=0&reader={reader}")
        assert (reader in lanes.by_name) == counted


async def test_a_class_behind_a_proxy_on_this_machine_may_share_a_connection(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    bounds = Bounds(readers_of_address=1, readers_of_connection=1)
    server = await start_server(Settings(bounds=bounds))
    wire = await open_wire(server)
    for name in ("a", "b", "c"):
        await wire.request(f"/short-poll?after=0&reader={name}")
    assert len(server.app[CLASSROOM].lanes.by_name) == 3


async def test_a_household_of_many_addresses_is_one(server: Server) -> None:
    lanes = Lanes(server.app[STATS], lambda: 0.0, Bounds(readers_of_address=2))
    joined = [
        lanes.join(f"r{number}", "short", Arrival(lanes.bounds.site(f"2001:db8::{number}"), number))
        for number in range(3)
    ]
    assert [lane is not None for lane in joined] == [True, True, False]


@pytest.mark.parametrize(
    ("headers", "counted"),
    [
        ({"Origin": "https://example.org"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "null"}, True),
        ({"Sec-Fetch-Site": "same-site"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Origin": "http://localhost:5173"}, True),
        ({}, True),
    ],
)
async def test_a_foreign_page_takes_no_place_in_the_class(
    client: ClientSession,
    server: Server,
    room: Classroom,
    headers: dict[str, str],
    counted: bool,
) -> None:
    server.publish("one")
    host = {"Host": f"localhost:{server.port}"}
    async with client.get("/short-poll?after=0&reader=x1", headers=headers | host) as response:
        assert response.status == 200
    assert ("x1" in room.lanes.by_name) == counted
    assert server.app[STATS].refusals.readers_of_pages == (not counted)


@pytest.mark.parametrize(("reader", "mode"), [("nobody", "short"), ("r", "ws")])
async def test_who_has_not_read_so_reports_nothing(
    client: ClientSession, room: Classroom, reader: str, mode: str
) -> None:
    await read(client)
    said = await send(client, report(reader, mode, deliveries=[delivery(1)]), 404)
    assert "no reader" in said["error"]
    assert len(room.reports.deliveries) == 0


async def test_a_reader_long_gone_makes_room_and_stays_counted(
    clock: Clock, start_server: StartServer, session: Session
) -> None:
    client = session(await start_server(Settings(bounds=Bounds(readers=1))))
    async with client.get("/short-poll?after=0&reader=a&close=1"):
        pass
    await clock.advance(301)
    async with client.get("/short-poll?after=0&reader=b") as response:
        assert response.status == 204
    async with client.get("/class/tallies?readers=a,b") as response:
        assert set(await response.json()) == {"b"}
    async with client.get("/short-poll?after=0") as response:  # who has no name is counted still
        assert response.status == 204
    async with client.get("/stats") as response:
        assert (await response.json())["modes"]["short"]["requests"] == 3


async def test_an_open_socket_is_never_forgotten(
    clock: Clock, start_server: StartServer, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes_module, "FORGET_S", -1.0)
    server = await start_server(Settings(bounds=Bounds(readers=1)))
    client = session(server)
    ws = await client.ws_connect("/ws?reader=a")
    await read(client, "b")
    assert set(server.app[CLASSROOM].lanes.by_name) == {"a"}
    await ws.close()


def test_of_too_many_rows_the_oldest_go() -> None:
    rows = Rows(2, 3 * CHUNK)
    for number in range(4 * CHUNK + 1):
        rows.add((number, -number))
    kept = list(rows)
    assert kept[-1] == (4 * CHUNK, -4 * CHUNK)
    assert len(kept) == len(rows) <= 3 * CHUNK
    assert kept[0][0] == rows.dropped == 2 * CHUNK


def test_a_copy_of_rows_stays_as_it_was() -> None:
    rows = Rows(1, CHUNK)
    rows.add((1,))
    copy = rows.copy()
    rows.add((2,))
    assert (list(copy), list(rows)) == ([(1,)], [(1,), (2,)])
