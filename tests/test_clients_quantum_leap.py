"""The article's headers are its own, its arithmetic holds, and real sockets carry as much."""

import asyncio
import csv
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from clients import ports
from clients.errors import ServerError
from clients.joining import Crowd, Tally
from clients.processes import child
from clients.quantum_leap import measuring
from clients.quantum_leap.article import (
    BODY,
    FRAME_BYTES,
    POLL_CHARACTERS,
    REQUEST,
    RESPONSE,
    USE_CASES,
    wire,
)
from clients.quantum_leap.crowd import POLL, SETTLING_S, Order, Traffic, run
from clients.quantum_leap.measuring import Leap, measure, result
from clients.quantum_leap.records import HeaderTraffic
from clients.quantum_leap.server import ANSWER, FRAME, Connection
from clients.quantum_leap.table import remarks, rows
from clients.worker import give
from tests.conftest import Clock
from tests.test_clients_main import Clients, clients

__all__ = ["clients"]  # a fixture


def example(mode: str = "polling", **changes: object) -> HeaderTraffic:
    figures: dict[str, object] = {
        "mode": mode,
        "clients": 1000,
        "window_s": 1.0,
        "messages": 1000,
        "bytes_up": 716_000,
        "bytes_down": 214_000,
        "header_bytes_per_message": 909.0,
        "header_mbps": 6.9,
        "messages_per_client_s": 1.0,
        "client_cpu_share": 0.1,
        "failures": 0,
        "kept_up": True,
        "agrees": True,
    }
    return HeaderTraffic(**(figures | changes))  # type: ignore[arg-type]


def test_headers_have_as_many_characters_as_the_article_counts() -> None:
    assert POLL_CHARACTERS == 871
    assert POLL_CHARACTERS // FRAME_BYTES == 435


def test_headers_on_the_wire_are_longer_by_their_line_ends() -> None:
    assert len(POLL) == len(wire(REQUEST)) == 716
    assert len(ANSWER) - len(BODY) == len(wire(RESPONSE)) == 193
    assert b"Content-Length: %d\r\n" % len(BODY) in ANSWER
    assert len(FRAME) - len(BODY) == FRAME_BYTES


@pytest.mark.parametrize("case", USE_CASES, ids=lambda case: str(case.clients))
def test_printed_figures_follow_from_the_headers(case: object) -> None:
    (row,) = (row for row in rows([]) if row.clients == case.clients)  # type: ignore[attr-defined]
    assert row.polling_printed == pytest.approx(row.polling_counted, rel=0.01)
    assert row.websocket_printed == pytest.approx(row.websocket_counted, rel=0.02)
    assert row.polling_measured is row.websocket_measured is None


@pytest.mark.parametrize(("polling", "bytes_up"), [(True, 716), (False, 0)])
async def test_each_client_gets_a_message_a_second(
    clock: Clock, polling: bool, bytes_up: int
) -> None:
    tally, report = Tally(), list[Traffic]()
    async with await clock.create_server(lambda: Connection(tally), "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        running = asyncio.create_task(run(Order(url, polling, 5, 10.0, seed=1), report))
        await clock.advance(SETTLING_S + 10 + 2)
        await running
    (traffic,) = report
    assert traffic.messages == 5 * 10
    assert traffic.bytes_up == 50 * bytes_up
    assert traffic.bytes_down == 50 * (len(ANSWER) if polling else len(FRAME))
    assert traffic.window_s == pytest.approx(10)
    assert traffic.total == tally


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address, unless more are added")
async def test_clients_come_from_several_addresses(clock: Clock) -> None:
    peers: set[str] = set()

    class Seen(Connection):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            peers.add(transport.get_extra_info("peername")[0])
            super().connection_made(transport)

    async with await clock.create_server(lambda: Seen(Tally()), "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        running = asyncio.create_task(run(Order(url, True, 5, 1.0, seed=1, sources=2), []))
        await clock.advance(SETTLING_S + 1 + 2)
        await running
    assert peers == {"127.0.0.1", "127.0.0.2"}


async def test_more_clients_than_ports_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_given_out", lambda: 0.001)
    with pytest.raises(ServerError, match=r"20 clients need 20 local ports.*use fewer --clients$"):
        await measure(Leap((20,), duration_s=0.1), lambda _: None)


async def test_a_server_that_is_killed_is_named_and_its_clients_are_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: dict[str, Process] = {}

    @asynccontextmanager
    async def keep(module: str, *options: str) -> AsyncIterator[Process]:
        async with child(module, *options) as started[module]:
            yield started[module]

    def give_in_vain(crowd: Process, order: Order) -> None:
        give(crowd, order)
        started["clients.quantum_leap.server"].kill()

    monkeypatch.setattr(measuring, "child", keep)
    monkeypatch.setattr(measuring, "give", give_in_vain)
    with pytest.raises(ServerError, match=r"quantum_leap\.server was killed by signal 9"):
        await measure(Leap((3,), duration_s=60), lambda _: None)


@pytest.mark.parametrize(("lost_bytes", "agrees"), [(0, True), (1, False)])
def test_counts_of_the_server_that_differ_are_noticed(lost_bytes: int, agrees: bool) -> None:
    seen = Traffic(1.0, 20, 716 * 20, 214 * 20, 0.1, 0, Tally(20, 20, 0, 716 * 20, 214 * 20))
    counted = Tally(20, 20, 0, 716 * 20 - lost_bytes, 214 * 20)
    assert result("polling", 20, seen, counted).agrees == agrees


def test_measured_crowd_stands_beside_the_printed_ones() -> None:
    found = rows([example(), example("websocket", clients=50, header_mbps=0.001)])
    assert [row.clients for row in found] == [50, 1000, 10_000, 100_000]
    assert (found[0].polling_printed, found[0].websocket_measured) == (None, 0.001)
    assert (found[1].polling_printed, found[1].polling_measured) == (6.6, 6.9)


def test_crowd_that_is_too_large_and_counts_that_differ_are_said() -> None:
    assert len(remarks([example()])) == 2
    slow = example(messages_per_client_s=0.5, kept_up=False)
    assert "does not carry them, 0.50 messages/s each" in remarks([slow])[-1]
    assert "clients and server disagree" in remarks([example(agrees=False)])[-1]
    assert "(3 failures)" in remarks([example(failures=3)])[-1]
    busy = example(client_cpu_share=0.99)
    assert remarks([busy])[-1].endswith("void, the clients' process was busy")


def test_a_poll_that_comes_in_parts_is_answered_once() -> None:
    said: list[bytes] = []
    connection = Connection(Tally())
    connection.connection_made(cast(asyncio.Transport, SimpleNamespace(write=said.append)))
    for part in (POLL[:10], POLL[10:-2]):
        connection.data_received(part)
        assert said == []
    connection.data_received(POLL[-2:])
    assert said == [ANSWER]


async def test_an_error_that_nobody_expected_ends_a_crowd_of_the_article(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    async def join(crowd: Crowd, *_: object) -> None:
        crowd.fail(ZeroDivisionError())

    monkeypatch.setattr(Crowd, "join", join)
    report: list[Traffic] = []
    running = asyncio.create_task(run(Order("http://127.0.0.1:1", True, 1, 1.0, seed=1), report))
    await clock.advance(SETTLING_S + 1)
    with pytest.raises(ZeroDivisionError):
        await running
    assert report == []


def test_command_measures_prints_the_table_and_writes_the_figures(
    clients: Clients, tmp_path: Path
) -> None:
    folder = tmp_path / "leap"
    small = ("--clients", "20", "--duration-s", "0.5")
    code, out, err = clients("quantum-leap", *small, "--out", str(folder))
    assert code == 0, err
    assert "100,000" in out
    assert "871 characters of headers are 909 bytes with line ends" in " ".join(out.split())
    with (folder / "quantum-leap.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["clients"] for row in table] == ["20", "1000", "10000", "100000"]
    assert table[1]["polling_measured_mbps"] == ""
    details = (folder / "quantum-leap.json").read_bytes()
    polling, websocket = msgspec.json.decode(details, type=list[HeaderTraffic])
    assert (polling.mode, websocket.mode) == ("polling", "websocket")
    # A machine that is busy may not carry even these: then there is no figure.
    assert (table[0]["polling_measured_mbps"] != "") == polling.good
    for each in (polling, websocket):
        assert each.agrees
        assert each.failures == 0
    assert polling.bytes_up % len(POLL) == polling.bytes_down % len(ANSWER) == 0
    assert websocket.bytes_up == websocket.bytes_down % len(FRAME) == 0


def test_folder_in_use_is_refused(clients: Clients, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = clients("quantum-leap", "--out", str(tmp_path))
    assert code == 2
    assert "is not empty: choose another folder with --out" in err
