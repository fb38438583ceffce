import asyncio
import json
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import ClientSession

from demo.metering import Meter, MeteredProtocol, MeteredTransport
from demo.stats import STATS
from demo.tally import Tally
from tests.conftest import OpenWire, Server, Wire, until

MESSAGE = '{"sender":"ada","text":"hi"}'


async def stats(client: ClientSession) -> dict[str, Any]:
    async with client.get("/stats") as response:
        assert response.headers["Cache-Control"] == "no-store"
        figures: dict[str, Any] = await response.json()
        return figures


def counts(tally: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in tally.items() if count and "bytes" not in name}


async def test_a_known_sequence_of_requests_is_counted_exactly(
    server: Server, client: ClientSession
) -> None:
    async def poll(path: str, **query: str) -> None:
        async with client.get(path, params=query) as response:
            await response.read()

    async with client.ws_connect("/ws") as ws:
        await ws.receive_json()
        await poll("/short-poll", after="0")  # empty
        await poll("/long-poll", after="0", hold_s="0")  # empty
        for _ in range(3):
            async with client.post("/messages", data=MESSAGE) as response:
                assert response.status == 201
        async with client.post("/messages", data="{}") as response:
            assert response.status == 400
        for _ in range(3):
            await ws.receive_json()
        await poll("/short-poll", after="0")  # 3 messages
        await poll("/short-poll", after="2")  # 1 message
        await poll("/short-poll", after="9")  # gap
        await poll("/short-poll", after="x")  # bad
        await poll("/long-poll", after="1")  # 2 messages
        await poll("/nowhere")
        figures = await stats(client)
    assert (figures["head"], figures["oldest"]) == (3, 1)
    assert figures["epoch"] == server.feed.epoch
    assert counts(figures["modes"]["short"]) == {
        "requests": 5,
        "empty": 1,
        "gaps": 1,
        "deliveries": 4,
    }
    assert counts(figures["modes"]["long"]) == {"requests": 2, "empty": 1, "deliveries": 2}
    assert counts(figures["modes"]["ws"]) == {"requests": 1, "deliveries": 3, "connections": 1}
    assert counts(figures["publish"]) == {"requests": 4}
    assert counts(figures["other"]) == {"requests": 2, "connections": 1}


async def test_the_process_is_measured(client: ClientSession) -> None:
    figures = await stats(client)
    assert figures["cpu_s"] > 0
    assert figures["rss_bytes"] > 1 << 20
    assert figures["uptime_s"] >= 0


async def test_an_open_connection_is_counted_until_it_closes(
    server: Server, client: ClientSession
) -> None:
    tally = server.app[STATS].modes["ws"]
    sockets = [await client.ws_connect("/ws") for _ in range(3)]
    assert tally.connections == 3
    for ws in sockets:
        await ws.close()
    await until(lambda: tally.connections == 0)


def bytes_of(tally: Tally) -> tuple[int, int]:
    return tally.bytes_in, tally.bytes_out


async def gone(server: Server, wire: Wire) -> tuple[int, int]:
    """Close the wire; once the server has noticed, return what the wire sent and got."""
    wire.close()
    tallies = server.app[STATS]
    all_tallies = [*tallies.modes.values(), tallies.publish, tallies.other]
    await until(lambda: sum(tally.connections for tally in all_tallies) == 0)
    return len(wire.sent), len(wire.got)


@pytest.mark.both_loops
async def test_bytes_of_short_polls_are_those_on_the_wire(server: Server, wire: Wire) -> None:
    await wire.request("/short-poll")
    server.publish("hi", "x" * 1000)
    await wire.request("/short-poll?after=0")
    await wire.request("/short-poll?after=99")
    await wire.request("/short-poll?after=x")
    assert bytes_of(server.app[STATS].modes["short"]) == await gone(server, wire)


@pytest.mark.both_loops
async def test_bytes_of_long_polls_are_those_on_the_wire(server: Server, wire: Wire) -> None:
    await wire.request("/long-poll?hold_s=0")
    held = asyncio.create_task(wire.request("/long-poll"))
    tally = server.app[STATS].modes["long"]
    await until(lambda: tally.requests == 2)
    server.publish("hi")
    await held
    assert bytes_of(tally) == await gone(server, wire)


@pytest.mark.both_loops
async def test_bytes_of_a_websocket_are_those_on_the_wire(server: Server, wire: Wire) -> None:
    await wire.upgrade("/ws")
    await wire.frame()
    server.publish("hi", "x" * 1000)
    for _ in range(2):
        await wire.frame()
    ping = bytes([0x89, 0x80, 1, 2, 3, 4])
    said = b'{"sender":"bob","text":"hi"}'
    await wire.send(ping + bytes([0x81, 0x80 | len(said), 0, 0, 0, 0]) + said)
    assert {(await wire.frame())[0] for _ in range(2)} == {0xA, 0x1}
    # While it is open, too: a session may last all day.
    assert bytes_of(server.app[STATS].modes["ws"]) == (len(wire.sent), len(wire.got))
    await wire.send(bytes([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8]))
    await wire.end()
    assert bytes_of(server.app[STATS].modes["ws"]) == await gone(server, wire)


@pytest.mark.both_loops
async def test_bytes_of_publishing_are_those_on_the_wire(server: Server, wire: Wire) -> None:
    await wire.request("/messages", method="POST", body=MESSAGE)
    await wire.request("/messages", method="POST", body="{}")
    large = json.dumps({"sender": "ada", "text": "x" * 5000})
    await wire.request("/messages", method="POST", body=large)
    assert bytes_of(server.app[STATS].publish) == await gone(server, wire)


@pytest.mark.both_loops
@pytest.mark.parametrize("path", ["/", "/page/app.js", "/page/page.css", "/stats", "/nowhere"])
async def test_bytes_of_all_else_are_those_on_the_wire(
    server: Server, wire: Wire, path: str
) -> None:
    await wire.request(path)
    assert bytes_of(server.app[STATS].other) == await gone(server, wire)


@pytest.mark.both_loops
async def test_a_connection_that_serves_several_modes_is_split_between_them(
    server: Server, open_wire: OpenWire
) -> None:
    async def wire_bytes(wire: Wire, path: str) -> tuple[int, int]:
        sent, got = len(wire.sent), len(wire.got)
        await wire.request(path)
        return len(wire.sent) - sent, len(wire.got) - got

    wire = await open_wire(server)
    paths = {"short": "/short-poll", "long": "/long-poll?hold_s=0"}
    on_the_wire = {mode: await wire_bytes(wire, path) for mode, path in paths.items()}
    other = await wire_bytes(wire, "/nowhere")
    tallies = server.app[STATS]
    assert {mode: bytes_of(tallies.modes[mode]) for mode in paths} == on_the_wire
    assert bytes_of(tallies.other) == other


def test_both_ways_of_writing_are_counted() -> None:
    written: list[bytes] = []
    real = SimpleNamespace(write=written.append, writelines=written.extend)
    tally = Tally()
    protocol = MeteredProtocol(asyncio.Protocol(), tally)
    transport = MeteredTransport(cast(asyncio.Transport, real), Meter(tally), protocol)
    transport.write(b"one")
    transport.writelines([b"two", b"three"])
    assert written == [b"one", b"two", b"three"]
    assert tally.bytes_out == len(b"onetwothree")


def test_a_meter_gives_what_arrived_to_the_mode_that_claims_it() -> None:
    first, second = Tally(), Tally()
    meter = Meter(first)
    meter.received(10)
    meter.claim(second)
    meter.received(5)
    meter.close()
    assert (first.bytes_in, second.bytes_in) == (0, 15)
    assert (first.connections, second.connections) == (0, 0)


async def test_a_refused_upgrade_does_not_take_the_bytes_that_follow(
    server: Server, wire: Wire
) -> None:
    assert b" 400 " in await wire.request("/ws")
    stats = server.app[STATS]
    before = stats.modes["ws"].bytes_in
    body = '{"sender": "ada", "text": "after a refusal"}'
    assert b" 201 " in await wire.request("/messages", method="POST", body=body)
    assert stats.modes["ws"].bytes_in == before
    assert stats.publish.bytes_in > len(body)
