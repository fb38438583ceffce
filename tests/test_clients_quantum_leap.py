"""The article's headers are its own, its arithmetic holds, and real sockets carry as much."""

import csv
import json
from asyncio.subprocess import Process
from pathlib import Path

import msgspec
import pytest

from clients.joining import Tally
from clients.quantum_leap.article import (
    BODY,
    FRAME_BYTES,
    MBPS,
    POLL_CHARACTERS,
    REQUEST,
    RESPONSE,
    USE_CASES,
    wire,
)
from clients.quantum_leap.crowd import POLL
from clients.quantum_leap.measuring import Leap, Measured, measure
from clients.quantum_leap.server import ANSWER, FRAME
from clients.quantum_leap.table import remarks, rows
from clients.worker import report
from tests.test_clients_main import Clients, clients

__all__ = ["clients"]  # a fixture


async def measured(leap: Leap) -> list[Measured]:
    found: list[Measured] = []
    await measure(leap, found.append)
    return found


def example(mode: str = "polling", **changes: object) -> Measured:
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
    return Measured(**(figures | changes))  # type: ignore[arg-type]


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


async def test_sockets_carry_what_the_arithmetic_says() -> None:
    polling, websocket = await measured(Leap(sizes=(50,), duration_s=2.0))
    assert (polling.mode, websocket.mode) == ("polling", "websocket")
    for each in (polling, websocket):
        assert each.agrees
        assert each.failures == 0
        assert each.messages_per_client_s == pytest.approx(1, abs=0.1)
    assert polling.header_bytes_per_message == pytest.approx(909, rel=0.02)
    assert polling.header_mbps == pytest.approx(50 * 909 * 8 / MBPS, rel=0.1)
    assert websocket.bytes_up == 0
    assert websocket.header_bytes_per_message == 2


async def test_counts_of_the_server_that_differ_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def miscount(process: Process, kind: type[msgspec.Struct]) -> list[msgspec.Struct]:
        lines = await report(process, kind)
        for line in lines:
            if isinstance(line, Tally):
                line.bytes_down += 1
        return lines

    monkeypatch.setattr("clients.quantum_leap.measuring.report", miscount)
    assert {each.agrees for each in await measured(Leap(sizes=(3,), duration_s=0.1))} == {False}


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


def test_command_prints_the_table_and_writes_the_figures(clients: Clients, tmp_path: Path) -> None:
    folder = tmp_path / "leap"
    small = ("--clients", "20", "--duration-s", "0.5")
    code, out, err = clients("quantum-leap", *small, "--out", str(folder))
    assert code == 0, err
    assert "100,000" in out
    assert "871 characters of headers are 909 bytes with line ends" in " ".join(out.split())
    with (folder / "quantum-leap.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["clients"] for row in table] == ["20", "1000", "10000", "100000"]
    assert float(table[0]["polling_measured_mbps"]) > 0
    assert table[1]["polling_measured_mbps"] == ""
    details = json.loads((folder / "quantum-leap.json").read_bytes())
    assert [each["mode"] for each in details] == ["polling", "websocket"]


def test_folder_in_use_is_refused(clients: Clients, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, _, err = clients("quantum-leap", "--out", str(tmp_path))
    assert code == 2
    assert "is not empty: choose another folder with --out" in err
