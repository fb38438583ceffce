"""One contract, three modes: whatever a reader's mode, it gets every message once, in order."""

import asyncio
import random
import socket
import struct
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing

import pytest

from clients import meter
from clients.client import Client
from clients.log import Request
from clients.modes import MODES
from clients.pace import Pace
from clients.place import Place
from clients.recorder import Recorder
from demo.app import Settings
from demo.message import Message
from demo.stats import STATS
from demo.tally import Tally
from tests.conftest import Server, StartServer, until, until_delivered

pytestmark = [pytest.mark.both_loops, pytest.mark.parametrize("mode", MODES)]

QUICK = Pace(interval_s=0.005, phase_s=0.0, hold_s=0.02)
PATIENT = Pace(interval_s=0.005, phase_s=0.0, hold_s=25.0)


class Reader:
    """A client of one mode, and what it has logged."""

    def __init__(self, mode: str, client: Client, recorder: Recorder, pace: Pace) -> None:
        self.client = client
        self.recorder = recorder
        self.feed: AsyncGenerator[Message, None] = MODES[mode].messages(client, pace)

    async def take(self, count: int) -> list[Message]:
        """Read so many messages."""
        return [await anext(self.feed) for _ in range(count)]

    async def texts(self, count: int) -> list[str]:
        """Read so many texts."""
        return [message.text for message in await self.take(count)]

    async def stop(self) -> None:
        """Stop reading, and close the connection."""
        await self.feed.aclose()
        await self.client.__aexit__()


Read = Callable[..., Awaitable[Reader]]


@pytest.fixture
async def read(mode: str) -> AsyncIterator[Read]:
    """Open readers of the mode: `await read(server.url, Place(epoch, cursor))`."""
    async with AsyncExitStack() as stack:

        async def open_reader(url: str, place: Place, pace: Pace = PATIENT) -> Reader:
            recorder = Recorder(run=1)
            client = Client(1, url, recorder, place, random.Random(1))
            await stack.enter_async_context(client)
            reader = Reader(mode, client, recorder, pace)
            await stack.enter_async_context(aclosing(reader.feed))
            return reader

        yield open_reader


def head(server: Server) -> Place:
    return Place(server.feed.epoch, server.feed.head)


def tally(server: Server, mode: str) -> Tally:
    return server.app[STATS].modes[mode]


async def test_every_message_comes_once_and_in_order(read: Read, server: Server) -> None:
    reader = await read(server.url, head(server))
    taking = asyncio.create_task(reader.take(200))
    for batch in range(50):
        server.publish(*(f"{batch}/{n}" for n in range(4)))
        await asyncio.sleep(0)
    assert [message.id for message in await taking] == list(range(1, 201))


async def test_reader_resumes_from_its_cursor(read: Read, server: Server) -> None:
    server.publish(*"abcdef")
    reader = await read(server.url, Place(server.feed.epoch, 2))
    assert await reader.texts(2) == ["c", "d"]
    await reader.stop()
    server.publish("g")
    second = await read(server.url, Place(server.feed.epoch, 4))
    assert await second.texts(3) == ["e", "f", "g"]


async def test_reader_without_news_starts_at_the_head(
    read: Read, mode: str, server: Server
) -> None:
    server.publish("before")
    reader = await read(server.url, head(server))
    taking = asyncio.create_task(reader.texts(1))
    await until(lambda: tally(server, mode).requests > 0)
    server.publish("after")
    assert await taking == ["after"]


async def test_message_published_between_two_polls_is_not_missed(
    read: Read, server: Server
) -> None:
    reader = await read(server.url, head(server))
    server.publish("first")
    assert await reader.texts(1) == ["first"]
    server.publish("while nobody asks")  # the generator stands at its yield: no request is open
    server.publish("again")
    assert await reader.texts(2) == ["while nobody asks", "again"]


async def test_two_readers_at_once_get_the_same(read: Read, server: Server) -> None:
    readers = [await read(server.url, head(server)) for _ in range(2)]
    taking = [asyncio.create_task(reader.texts(3)) for reader in readers]
    server.publish(*"xyz")
    assert await asyncio.gather(*taking) == [["x", "y", "z"]] * 2


async def test_reader_behind_the_history_reads_on_from_the_oldest(
    read: Read, start_server: StartServer
) -> None:
    server = await start_server(Settings(history=3))
    server.publish(*"abcdefgh")
    reader = await read(server.url, Place(server.feed.epoch, 1))
    assert await reader.texts(3) == ["f", "g", "h"]
    assert [row.messages for row in reader.recorder.requests][:1] == [0]  # the gap is a row
    assert reader.client.gaps == 1


async def test_reader_of_another_epoch_starts_over(read: Read, server: Server) -> None:
    server.publish(*"ab")
    reader = await read(server.url, Place("elsewhere", 2))
    assert await reader.texts(2) == ["a", "b"]
    assert reader.client.place.epoch == server.feed.epoch


async def test_empty_answers_are_rows_with_no_message(
    read: Read, mode: str, server: Server
) -> None:
    reader = await read(server.url, head(server), QUICK)
    taking = asyncio.create_task(reader.texts(1))
    if mode == "ws":  # which has none: that is its point
        await until(lambda: tally(server, mode).connections == 1)
        assert reader.recorder.requests == []
    else:
        await until(lambda: len(reader.recorder.requests) >= 3)
        assert {(row.status, row.messages) for row in reader.recorder.requests} == {(204, 0)}
    server.publish("news")
    assert await taking == ["news"]


async def test_server_that_comes_back_loses_no_reader(
    read: Read, mode: str, start_server: StartServer
) -> None:
    first = await start_server()
    reader = await read(first.url, Place("of the first", 0), QUICK)
    taking = asyncio.create_task(reader.texts(1))
    await until(lambda: tally(first, mode).requests > 0)
    await first.stop()
    rows = reader.recorder.requests
    await until(lambda: any(row.status == 0 and row.messages == 0 for row in rows))
    second = await start_server(port=first.port)
    second.publish("back again")
    assert await taking == ["back again"]


async def test_requests_deliveries_and_bytes_equal_the_servers(
    read: Read, mode: str, server: Server
) -> None:
    readers = [await read(server.url, head(server)) for _ in range(3)]
    taking = [asyncio.create_task(reader.take(5)) for reader in readers]
    for number, text in enumerate(("a", "b" * 200, "c" * 1000, "ä€😀", "e"), start=1):
        server.publish(text)
        await until_delivered(tally(server, mode), 3 * number)
    await asyncio.gather(*taking)
    for reader in readers:
        await reader.stop()
    await until(lambda: tally(server, mode).connections == 0)
    rows = [row for reader in readers for row in reader.recorder.requests]
    counts = tally(server, mode)
    assert counts.requests == len(rows)
    assert counts.deliveries == sum(row.messages for row in rows) == 15
    assert counts.bytes_in == sum(row.bytes_up for row in rows)
    assert counts.bytes_out == sum(row.bytes_down for row in rows)


async def test_ledger_accounts_for_every_byte(read: Read, mode: str, server: Server) -> None:
    reader = await read(server.url, head(server))
    server.publish("a" * 50, "b" * 300)
    await reader.take(2)
    await reader.stop()
    ledgers, rows = reader.recorder.ledgers, reader.recorder.requests
    assert [ledger.total_bytes for ledger in ledgers] == [r.bytes_up + r.bytes_down for r in rows]
    if mode == "ws":
        entries = list(server.feed.after(0))
        (ledger,) = ledgers
        assert ledger.body_bytes == sum(len(entry.json) for entry in entries)
        # Two heads of 4 bytes, and two closes: 2 + 2 bytes from the server, 4 of mask from us.
        assert ledger.frame_bytes == 4 + 4 + 4 + 8
        assert ledger.request_head_bytes == ledger.response_head_bytes == 0
    else:
        assert all(ledger.handshake_bytes == ledger.frame_bytes == 0 for ledger in ledgers)
        assert all(ledger.request_head_bytes > 100 for ledger in ledgers)


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO as Linux has it")
async def test_bytes_of_a_hundred_requests_equal_the_kernels_and_the_ledgers(
    read: Read, mode: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = spy_on_sockets(monkeypatch)
    reader = await read(server.url, head(server), Pace(0.001, 0.0, 0.001))
    rows, ledgers = reader.recorder.requests, reader.recorder.ledgers
    for number in range(100):
        taking = asyncio.create_task(reader.take(1))
        if mode != "ws" and number % 10 == 0:
            await one_more(rows)  # an empty one
        server.publish("x" * (7 * number))
        await taking
    assert mode == "ws" or len(rows) >= 110
    (sock,) = sockets
    counts = reader.client.meter
    await until(lambda: kernel_bytes(sock) == (counts.bytes_up, counts.bytes_down))
    assert mode == "ws" or counts.bytes_up == sum(row.bytes_up for row in rows)
    assert mode == "ws" or counts.bytes_down == sum(row.bytes_down for row in rows)
    await reader.stop()
    assert sum(ledger.total_bytes for ledger in ledgers) == counts.bytes_up + counts.bytes_down


async def one_more(rows: list[Request]) -> None:
    """Wait until a request has been answered."""
    count = len(rows)
    await until(lambda: len(rows) > count)


def spy_on_sockets(monkeypatch: pytest.MonkeyPatch) -> list[socket.socket]:
    sockets: list[socket.socket] = []

    class Spy(meter._MeteredTransport):
        def __init__(self, transport: asyncio.Transport, meter: meter.Meter) -> None:
            sockets.append(transport.get_extra_info("socket"))
            super().__init__(transport, meter)

    monkeypatch.setattr(meter, "_MeteredTransport", Spy)
    return sockets


def kernel_bytes(sock: socket.socket) -> tuple[int, int]:
    """What the kernel counts: tcpi_bytes_acked, which counts the SYN, and tcpi_bytes_received."""
    info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 136)
    acked, received = struct.unpack_from("QQ", info, 120)
    return acked - 1, received


async def test_bytes_of_one_delivery_are_kept_as_they_were_on_the_socket(
    read: Read, mode: str, server: Server
) -> None:
    reader = await read(server.url, head(server))
    server.publish("one of its kind")
    await reader.take(1)
    tap = reader.recorder.tap
    assert tap is not None
    assert tap.up.startswith(b"GET /")
    assert tap.down.startswith(b"HTTP/1.1 101" if mode == "ws" else b"HTTP/1.1 200")
    assert b'"text":"one of its kind"' in tap.down
    assert (len(tap.up), len(tap.down)) == (
        reader.client.meter.bytes_up,
        reader.client.meter.bytes_down,
    )
