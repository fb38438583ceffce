"""The self-check measures the instrument for real, and judges what it finds."""

import asyncio
import io
from math import inf

import pytest
from rich.console import Console

from clients import self_check
from clients.driving import Driven, drive
from clients.errors import ServerError
from clients.frames import HEAD_END
from clients.self_check import Findings, added, checks, show_self_check
from demo.message import Message, News, encode
from tests.conftest import until

ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Length: 47\r\n\r\n{"epoch":"stand-in","cursor":1,"messages":[]}  '
)


def test_every_part_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_check, "SECONDS", 0.5)
    monkeypatch.setattr(self_check, "SLEEPS", 5)
    monkeypatch.setattr(self_check, "SLEEP_LIMIT_MS", inf)  # this machine may be busy
    monkeypatch.setattr(self_check, "FLOOR_LIMIT_MS", inf)
    paper = io.StringIO()
    assert show_self_check("test", Console(file=paper, width=120)) == 0
    said = paper.getvalue()
    for words in ("short polling", "long polling", "WebSocket", "clock resolution", "requests/s"):
        assert words in said
    for rtt in ("20 ms", "100 ms"):
        assert said.count(f"round trip {rtt}") == 2  # with one connection, and with 20
    assert "FAILS" not in said


def test_one_check_that_fails_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    async def find(found: Findings) -> None:
        found.floors = [driven("short", 0.3), driven("ws", 5.1)]

    monkeypatch.setattr(self_check, "_measure", find)
    monkeypatch.setattr(self_check, "SLEEPS", 5)
    paper = io.StringIO()
    assert show_self_check("test", Console(file=paper, width=120)) == 1
    (line,) = (line for line in paper.getvalue().splitlines() if "WebSocket, p99" in line)
    assert "FAILS" in line


def test_stand_in_that_does_not_start_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(self_check, "STAND_IN", "clients.nowhere")
    assert show_self_check("test", Console(file=io.StringIO())) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("test: clients.nowhere did not start")


async def test_clients_are_driven_at_once() -> None:
    waiting: list[asyncio.StreamWriter] = []
    answered = 0

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answered
        while await reader.readline():
            while await reader.readline() != b"\r\n":
                pass
            waiting.append(writer)
            if len(waiting) == 5:  # which one client after the other would never be
                for each in waiting:
                    each.write(ANSWER)
                answered += len(waiting)
                waiting.clear()
        writer.close()

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        driving = asyncio.create_task(drive("long", url, clients=5, seconds=60))
        await until(lambda: answered >= 15)
        driving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await driving


async def test_a_server_that_falls_silent_is_said() -> None:
    first = Message(1, "stand-in", "the only one", 0, 0)
    news = encode(News("stand-in", 1, (first,)))
    answers = [b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(news), news), b""]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for each in answers:
            await reader.readuntil(HEAD_END)
            writer.write(each)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ServerError, match=f"nothing came from {url} within 0.01 s"):
            await drive("long", url, clients=1, seconds=0.01)


def driven(mode: str, p99_ms: float, p50_ms: float = 0.1) -> Driven:
    return Driven(
        mode=mode,
        clients=1,
        latency_p50_ms=p50_ms,
        latency_p99_ms=p99_ms,
        reader_p50_ms=0.05,
        messages_per_s=1000,
        cpu_share=0.2,
        cpu_us=200,
    )


def test_what_the_line_adds_is_beyond_half_a_round_trip_and_the_clients_floor() -> None:
    found = added(driven("short", 13.1, 10.6), driven("short", 0.3), rtt_ms=20)
    assert [found.p50_ms, found.p99_ms] == pytest.approx([0.5, 3.0])


def test_slow_client_fails_its_check_alone() -> None:
    judged = {
        check.name: check.holds for check in checks([driven("short", 0.3), driven("ws", 5.1)])
    }
    assert judged["floor of latency, short polling, p99"]
    assert not judged["floor of latency, WebSocket, p99"]
