import json
import re
import time
from collections.abc import Callable

import pytest
from aiohttp import ClientSession, WSCloseCode, WSMsgType

from demo.app import Settings, make_app
from demo.assembly import _settings
from demo.bounds import Bounds
from demo.feed import Feed
from demo.metering import Meter
from demo.options import parse
from demo.pace import Pace, TooFast
from demo.publishing import PUBLISHING, Limits, Publishing, Refused, in_memory
from demo.rates import Rate
from demo.refusals import Refusals
from demo.stats import STATS
from demo.tally import Tally
from tests.conftest import Clock, OpenWire, Server, Session, StartServer, Wire, until

PATH = "/messages"
LIMIT = "too fast: at most 1 messages a second over one connection"


async def test_a_published_message_is_answered_with_its_id_and_stamps(
    client: ClientSession, server: Server
) -> None:
    async with client.post(PATH, json={"sender": "ada", "text": "hi", "sent_ns": 7}) as response:
        assert response.status == 201
        assert response.headers["Cache-Control"] == "no-store"
        answer = await response.json()
    (entry,) = server.feed.after(0)
    assert answer == json.loads(entry.json)
    assert answer == {
        "id": 1,
        "sender": "ada",
        "text": "hi",
        "sent_ns": 7,
        "published_ns": entry.message.published_ns,
    }


@pytest.mark.parametrize("body", ["", "hi", "[]", '{"text": "hi"}', '{"sender": "", "text": "hi"}'])
async def test_a_bad_body_is_a_400_of_one_line(
    client: ClientSession, server: Server, body: str
) -> None:
    async with client.post(PATH, data=body) as response:
        assert response.status == 400
        assert response.headers["Cache-Control"] == "no-store"
        error = (await response.json())["error"]
    assert len(error.splitlines()) == 1
    assert error.endswith('send {"sender": "...", "text": "..."}')
    assert server.feed.head == 0


@pytest.mark.parametrize(("size", "status"), [(4096, 201), (4097, 413), (1_000_000, 413)])
async def test_a_text_over_4_kib_is_too_large(
    client: ClientSession, size: int, status: int
) -> None:
    async with client.post(PATH, json={"sender": "ada", "text": "x" * size}) as response:
        assert response.status == status
        assert response.headers["Cache-Control"] == "no-store"
        if status == 413:
            assert " bytes" in (await response.json())["error"]


async def test_the_longest_text_may_be_escaped_throughout(client: ClientSession) -> None:
    body = '{"sender": "ada", "text": "' + "\\u0041" * 4096 + '"}'
    async with client.post(PATH, data=body) as response:
        assert response.status == 201


async def test_the_longest_sender_and_key_are_not_too_long_for_a_body(
    start_server: StartServer, session: Session
) -> None:
    limits = Settings(max_text_bytes=100, max_sender_characters=2000)
    sender = r"\ud83d\ude00" * 2000
    body = f'{{"sender": "{sender}", "text": "", "key": "{"k" * 64}"}}'
    async with session(await start_server(limits)).post(PATH, data=body) as response:
        assert response.status == 201


async def test_too_fast_is_a_429_that_names_the_limit(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(publish_per_s=0.5))
    stop_clock(server)
    client = session(server)
    statuses = []
    for _ in range(2):
        async with client.post(PATH, json={"sender": "ada", "text": "hi"}) as response:
            statuses.append(response.status)
            body = await response.json()
    assert statuses == [201, 429]
    assert body["error"] == "too fast: at most 0.5 messages a second from one address"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Retry-After"] == "2"


def test_who_invents_addresses_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("demo.rates.MAX_KEPT", 3)
    rate = Rate(1, lambda: 0.0)
    for number in range(10):
        assert rate.take(number)
        assert not rate.take(number)
        assert len(rate._buckets) <= 3


async def test_an_echo_counts_as_a_message(start_server: StartServer, session: Session) -> None:
    server = await start_server(Settings(publish_per_s=1))
    async with session(server).ws_connect("/echo") as ws:
        await ws.send_str("one")
        await ws.send_str("two")
        assert (await ws.receive_str()).endswith('"one"')
        end = await ws.receive()
    assert (end.type, end.data) == (WSMsgType.CLOSE, WSCloseCode.POLICY_VIOLATION)
    assert end.extra == "too fast: at most 1 messages a second from one address"


class Now:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def publishing_at(limits: Limits, clock: Callable[[], float]) -> Publishing:
    return Publishing(in_memory(Feed()), limits, Refusals(), clock=clock)


async def taken(publishing: Publishing, count: int, address: str = "10.0.0.1") -> int:
    """Publish `count` messages; return how many were taken."""
    refused = 0
    for _ in range(count):
        try:
            await publishing.publish_text("ada", "hi", address)
        except Refused:
            refused += 1
    return count - refused


def test_publishing_in_memory_gives_way_to_nobody() -> None:
    publishing = publishing_at(Limits(100, 0), Now())
    with pytest.raises(StopIteration) as end:
        publishing.publish_text("ada", "hi", None).send(None)
    assert end.value.value.message.id == 1


async def test_one_second_of_messages_may_come_at_once() -> None:
    assert await taken(publishing_at(Limits(100, 3), Now()), 10) == 3


async def test_the_allowance_comes_back_with_time_and_no_further_than_full() -> None:
    now = Now()
    publishing = publishing_at(Limits(100, 4), now)
    assert await taken(publishing, 10) == 4
    now.s += 0.25
    assert await taken(publishing, 10) == 1
    now.s += 0.5
    assert await taken(publishing, 10) == 2
    now.s += 1000
    assert await taken(publishing, 10) == 4


async def test_a_refused_message_costs_nothing() -> None:
    now = Now()
    publishing = publishing_at(Limits(100, 1), now)
    assert await taken(publishing, 50) == 1
    now.s += 1
    assert await taken(publishing, 50) == 1


async def test_a_slow_rate_allows_its_first_message() -> None:
    now = Now()
    publishing = publishing_at(Limits(100, 0.5), now)
    assert await taken(publishing, 2) == 1
    now.s += 1
    assert await taken(publishing, 1) == 0
    now.s += 1
    assert await taken(publishing, 1) == 1


async def test_each_address_has_its_own_allowance() -> None:
    publishing = publishing_at(Limits(100, 1), Now())
    assert await taken(publishing, 2, "10.0.0.1") == 1
    assert await taken(publishing, 2, "10.0.0.2") == 1


async def test_a_connection_that_says_too_much_leaves_its_address_what_it_had() -> None:
    now, limits = Now(), Limits(100, 10, per_s_of_connection=2)
    publishing = publishing_at(limits, now)
    loud, quiet = Meter(Tally()), Meter(Tally())

    async def said(meter: Meter | None) -> int:
        refused = 0
        for _ in range(5):
            try:
                await publishing.publish_json(b'{"sender": "a", "text": ""}', "10.0.0.1", meter)
            except Refused:
                refused += 1
        return 5 - refused

    assert [await said(loud), await said(loud), await said(quiet)] == [2, 0, 2]
    assert publishing.refusals.rate_of_connection == 3 + 5 + 3
    assert publishing.refusals.rate == 0
    assert await said(None) == 5  # a connection that nobody counts
    now.s += 0.5
    assert await said(loud) == 1


def stop_clock(server: Server, after_s: float = 0) -> None:
    pace, now_s = server.app[PUBLISHING]._pace, time.monotonic() + after_s
    for each in (pace, pace._sites, pace._machine):
        each._clock = lambda: now_s


def open_for(now: Now, seconds: float) -> Meter:
    meter = Meter(Tally())
    meter.opened_s = now.s - seconds
    return meter


def counted(pace: Pace, meter: Meter | None, count: int, site: str | None = "10.0.0.1") -> int:
    """Count messages; return how many were in time."""
    early = 0
    for _ in range(count):
        try:
            pace.check(site, meter)
        except TooFast:
            early += 1
    return count - early


def test_who_floods_by_many_connections_leaves_the_others_of_its_address_their_part() -> None:
    now = Now()
    pace = Pace(100, clock=now, open_of=lambda _: 50)
    flooding, others = (
        [open_for(now, 10) for _ in range(20)],
        [open_for(now, 10) for _ in range(30)],
    )
    for second in range(10):
        flood = sum(counted(pace, each, 50) for each in flooding)
        assert flood <= 100 + 20 * 2  # of each its part, a message a second, saved up at first
        assert [counted(pace, each, 1) for each in others] == [1] * 30, second
        now.s += 1


def test_an_address_has_no_more_than_its_rate_however_many_connections_it_opens() -> None:
    now, few = Now(), 10
    pace = Pace(few, clock=now, open_of=lambda _: 100)
    connections = [open_for(now, 1000) for _ in range(100)]
    in_time = 0
    for _ in range(60):
        in_time += sum(counted(pace, each, 2) for each in connections)
        now.s += 1
    assert in_time <= 60 * few + few + 100  # a second's worth, and a message each, saved up


def test_a_connection_for_each_message_has_no_part() -> None:
    now = Now()
    pace = Pace(10, clock=now, open_of=lambda _: 5)
    assert counted(pace, open_for(now, 0), 20) == 10
    assert sum(counted(pace, open_for(now, 0), 1) for _ in range(20)) == 0
    assert counted(pace, open_for(now, 1), 1) == 1


def test_this_machine_has_a_rate_of_its_own_and_its_connections_none() -> None:
    now = Now()
    pace = Pace(10, of_connection=5, here=30, clock=now)
    assert counted(pace, open_for(now, 10), 50, site=None) == 30
    assert counted(pace, open_for(now, 0), 50) == 5


async def test_beyond_this_machine_an_address_may_publish_less_by_default(
    start_server: StartServer,
) -> None:
    pace = (await start_server()).app[PUBLISHING]._pace
    assert (pace._of_address, pace._of_connection, pace._here) == (100, 50, 1000)
    given = _settings(parse(["--publish-rate", "7"]), "token", 1)
    pace = make_app(given)[PUBLISHING]._pace
    assert (pace._of_address, pace._here) == (7, 7)


async def test_a_quiet_connection_is_heard_beside_a_flood_and_the_flood_is_told_when_to_go_on(
    start_server: StartServer, open_wire: OpenWire
) -> None:
    server = await start_server(Settings(publish_per_s=2, bounds=Bounds(loopback=True)))
    quiet, flooding = [await open_wire(server) for _ in range(2)]
    for wire in (quiet, flooding):
        await wire.request("/stats")
    stop_clock(server, after_s=30)  # so both have saved up a message
    wires, said = (flooding,) * 4 + (quiet,) * 2, '{"sender": "a", "text": ""}'
    answers = [await wire.request(PATH, method="POST", body=said) for wire in wires]
    # The address has two, and each connection one of its own.
    assert [answer[9:12] for answer in answers] == [b"201"] * 3 + [b"429", b"201", b"429"]
    assert [*re.findall(rb"Retry-After: (\d+)", b"".join(answers))] == [b"1", b"2"]
    assert server.app[STATS].refusals.rate == 2


def test_what_the_parts_of_connections_take_beyond_a_rate_is_bounded() -> None:
    now = Now()
    pace = Pace(10, clock=now, open_of=lambda _: 100)
    connections = [open_for(now, 1000) for _ in range(100)]
    assert sum(counted(pace, each, 1) for each in connections) == 10 + 10
    now.s += 0.15
    assert counted(pace, connections[-1], 1) == 1  # its part is not lost by that


async def test_this_machines_connections_say_what_they_want_unless_told_otherwise(
    start_server: StartServer, session: Session
) -> None:
    for bounds, refused in ((Bounds(), False), (Bounds(loopback=True), True)):
        client = session(await start_server(Settings(publish_per_s_of_connection=1, bounds=bounds)))
        async with client.ws_connect("/ws") as ws:
            await ws.receive_json()
            for _ in range(2):
                await ws.send_str('{"sender": "a", "text": "hi"}')
            answers = [await ws.receive_json() for _ in range(2)]
        assert [each for each in answers if "error" in each] == [{"error": LIMIT}] * refused
        statuses = []
        for _ in range(2):
            async with client.post(PATH, json={"sender": "a", "text": "hi"}) as response:
                statuses.append(response.status)
        assert statuses == [201, 429 if refused else 201]


async def test_a_rate_of_nothing_is_no_limit() -> None:
    assert await taken(publishing_at(Limits(100, 0), Now()), 5000) == 5000


async def test_a_body_that_dribbles_in_is_given_up(
    clock: Clock, server: Server, wire: Wire
) -> None:
    await wire.send(b'POST /messages HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"sender":')
    tally = server.app[STATS].publish
    await until(lambda: server.app[STATS].other.connections == 1)
    await clock.settle()
    await clock.advance(10.1)
    answer = await wire.response()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"no-store" in answer
    assert b"the body took longer than 10 s to arrive" in answer
    assert tally.requests == 1


async def test_refused_publishes_are_counted(client: ClientSession, server: Server) -> None:
    for body in ("{}", "x" * 1_000_000):
        async with client.post(PATH, data=body) as response:
            assert response.status in {400, 413}
    assert server.app[STATS].publish.requests == 2


async def test_a_body_over_its_limit_is_refused_on_a_websocket_too(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(max_body_bytes=60))
    async with session(server).ws_connect("/ws") as ws:
        await ws.receive_json()
        for text in ("x" * 60, "\u00e9" * 20):  # 20 characters, which are 40 bytes
            await ws.send_str(json.dumps({"sender": "ada", "text": text}, ensure_ascii=False))
            assert (await ws.receive_json())["error"] == "the body is over 60 bytes"
        await ws.send_str('{"sender": "ada", "text": "short"}')
        assert (await ws.receive_json())["text"] == "short"
    assert server.app[STATS].refusals.body == 2


def test_of_a_slow_rate_a_quiet_connection_is_heard_too_and_told_how_long_to_wait() -> None:
    now = Now()
    pace = Pace(0.1, clock=now, open_of=lambda _: 2)
    quiet, flooding = open_for(now, 40), open_for(now, 0)
    assert counted(pace, flooding, 1) == 1
    assert counted(pace, quiet, 1) == 1
    for meter, after_s in ((quiet, 20), (flooding, 20)):  # one is owed, and one is to be had
        with pytest.raises(TooFast) as refused:
            pace.check("10.0.0.1", meter)
        assert refused.value.after_s == pytest.approx(after_s)
