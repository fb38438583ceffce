"""What goes wrong in a run is said in its row, and is not a traceback."""

import asyncio
import io
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn, cast
from unittest.mock import AsyncMock

import psutil
import pytest
from aiohttp import ClientSession, web
from msgspec.structs import replace
from rich.console import Console

from clients import processes, readers
from clients.crowd import Joined
from clients.errors import ServerError
from clients.experiment import Ambition, plans
from clients.faults import lives
from clients.follower import Census
from clients.joining import Tally
from clients.log import Settings
from clients.modes import MODES
from clients.place import Place
from clients.plan import Outcome
from clients.processes import fresh_server, interpreter
from clients.progress import Watcher, connecting
from clients.run import _continuity, _is_alone, _watch_window, busiest, cpu_s, turn_s
from clients.server import ANSWER_TIMEOUT_S, ASK_AGAIN_S, ModeStats, Server, Stats, server_at
from demo.message import Message, encode
from demo.options import parse
from tests.conftest import Clock
from tests.test_clients_backoff import answering
from tests.test_clients_experiment import tiny


async def test_process_that_has_ended_has_no_cpu_time() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()
    assert cpu_s(process) is None
    assert cpu_s(None) is None


def test_a_readers_turn_allows_for_the_longest_of_four_round_trips() -> None:
    near = replace(tiny().points[0].settings, rtt_ms=0.0)
    far = replace(near, rtt_ms=100.0, jitter_ms=50.0)  # each way
    assert turn_s(far) - turn_s(near) == pytest.approx(4 * 0.2)


def test_busiest_of_several_processes_is_what_counts() -> None:
    assert busiest([1.0, 5.0, None], [4.0, 6.0, 9.0], 10.0) == pytest.approx(0.3)
    assert busiest([None], [None], 10.0) is None
    assert busiest([], [], 10.0) is None


@pytest.mark.parametrize(
    ("platform", "base", "started"),
    [
        ("linux", "/usr/bin/python3", ("/venv/python", None)),
        ("win32", "/venv/python", ("/venv/python", None)),
        ("win32", "C:/python.exe", ("C:/python.exe", "/venv/python")),
    ],
)
def test_process_that_is_started_is_the_interpreter_and_no_launcher(
    monkeypatch: pytest.MonkeyPatch, platform: str, base: str, started: tuple[str, str | None]
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys, "executable", "/venv/python")
    monkeypatch.setattr(sys, "_base_executable", base)
    python, environment = interpreter()
    assert (python, environment and environment["__PYVENV_LAUNCHER__"]) == started


@pytest.mark.parametrize("start", [fresh_server, partial(lives.lives, Path("feed.db"))])
async def test_server_is_started_so_that_it_can_do_what_the_settings_want(
    monkeypatch: pytest.MonkeyPatch,
    start: Callable[[Settings], AbstractAsyncContextManager[object]],
) -> None:
    given: list[str] = []

    def refuse(_: str, *options: str) -> NoReturn:
        given.extend(options)
        raise ServerError("that is enough")

    for module in (processes, lives):
        monkeypatch.setattr(module, "child", refuse)
    settings = replace(tiny().points[0].settings, payload_bytes=8192, deflate=True)
    with pytest.raises(ServerError, match="that is enough"):
        async with start(settings):
            pass
    options = parse(given)
    assert (options.max_text_bytes, options.deflate) == (8192, True)
    assert options.max_connections == options.publish_rate == 0  # as many clients as are asked for


async def test_server_that_has_ended_before_it_is_stalled_is_said_in_one_line() -> None:
    async with server_at("http://127.0.0.1:1") as server:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "input()", stdin=PIPE)
        server.process = psutil.Process(process.pid)
        process.kill()
        await process.wait()
        with pytest.raises(ServerError, match="that was started for it answers no more"):
            await server.stall(0.0)


async def test_server_that_has_ended_as_soon_as_it_listens_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def told(*_: object) -> str:
        return "http://127.0.0.1:1"

    @asynccontextmanager
    async def child(*_: object) -> AsyncIterator[Process]:
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", "exit(3)")
        await process.wait()
        yield process

    monkeypatch.setattr(processes, "child", child)
    monkeypatch.setattr(processes, "address_of", told)
    with pytest.raises(ServerError, match="demo ended with code 3 before its time"):
        async with fresh_server(tiny().points[0].settings):
            pass


async def test_goodbye_over_a_long_line_is_waited_for(clock: Clock) -> None:
    async def part_late(request: web.Request) -> web.StreamResponse:
        ws = web.WebSocketResponse(autoclose=False)
        await ws.prepare(request)
        await ws.send_str(encode(Message(1, "ada", "text", 1, 1)).decode())
        await ws.receive()
        await asyncio.sleep(10)
        await ws.close()
        return ws

    outcome = Outcome(plans(Ambition(tiny("ws", rtt_ms=10_000.0), seed=1))[0])
    async with answering(part_late) as url:
        stage = readers.Stage(None, url, None)  # type: ignore[arg-type]
        async with readers._client(outcome, stage, Place("epoch", 0), 1) as client:
            messages = MODES["ws"].messages(client, outcome.plan.pace(1))
            await anext(messages)
            before = client.meter.bytes_down
            leaving = asyncio.create_task(messages.aclose())
            await clock.advance(11)
            await leaving
    assert client.meter.bytes_down - before == 4  # its close, with a code


def test_work_for_readers_in_another_mode_is_noticed() -> None:
    quiet, read = (Stats(0.0, "epoch", 0, 0.0, 0, 0.0, counts(n)) for n in (0, 1))
    assert _is_alone(quiet, quiet, "ws")
    assert not _is_alone(quiet, read, "ws")
    assert _is_alone(quiet, read, "short")


def counts(requests: int) -> dict[str, ModeStats]:
    busy, idle = ModeStats(requests, 0, 0, 0, 0, 0, 0), ModeStats(0, 0, 0, 0, 0, 0, 0)
    return {"short": busy, "ws": idle}


async def test_error_of_a_reader_ends_the_run_at_once_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(*_: object) -> None:
        raise IndexError("pop from an empty deque")

    monkeypatch.setattr(readers, "_read", fail)
    with pytest.raises(
        ServerError, match=r"reader failed: IndexError\('pop from an empty deque'\)"
    ):
        async with readers.readers(*a_run()):
            await asyncio.Event().wait()  # as if it would never end


async def test_error_of_the_run_itself_is_not_laid_at_the_readers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def read_on(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr(readers, "_read", read_on)
    with pytest.raises(ZeroDivisionError):
        async with readers.readers(*a_run()):
            raise ZeroDivisionError


def a_run() -> tuple[Outcome, readers.Stage, Stats]:
    outcome = Outcome(plans(Ambition(tiny("ws"), seed=1))[0])
    stage = readers.Stage(None, "http://127.0.0.1:1", None)  # type: ignore[arg-type]
    return outcome, stage, Stats(0.0, "epoch", 0, 0.0, 0, 0.0, {})


async def test_a_server_that_was_too_busy_to_show_its_window_is_no_measurement() -> None:
    outcome, stage, stats = a_run()
    now_ns = time.perf_counter_ns()
    outcome.facts |= {"window_start_ns": now_ns, "window_end_ns": now_ns}
    server = SimpleNamespace(stats=AsyncMock(return_value=stats))  # whose clock stands still
    with pytest.raises(ServerError, match="so late that its window could not be seen"):
        await _watch_window(outcome, replace(stage, server=server))


def test_a_crowd_that_left_no_report_is_no_measurement() -> None:
    outcome, _, _ = a_run()
    outcome.census = None
    with pytest.raises(ServerError, match="ended without a report"):
        _continuity(outcome, range(1))


async def test_a_crowds_trouble_is_the_runs() -> None:
    said = asyncio.StreamReader()
    said.feed_data(encode(Joined(1)) + b"\n" + encode(Census(Tally(), trouble="a bug")) + b"\n")
    said.feed_eof()
    outcome, _, _ = a_run()
    with pytest.raises(ServerError, match="a reader of the crowd failed: a bug"):
        await readers._hear(outcome, 0, cast(Process, SimpleNamespace(stdout=said)))
    assert outcome.attendance.counted == {0: 1}


async def test_clients_connect_in_batches(clock: Clock) -> None:
    outcome, _, _ = a_run()
    waiting = {
        number: asyncio.create_task(readers._pause(outcome.plan, number))
        for number in (1, readers.CONNECT_BATCH, readers.CONNECT_BATCH + 1)
    }
    await clock.settle()
    assert {n for n, each in waiting.items() if not each.done()} == {readers.CONNECT_BATCH}
    await clock.advance(0.02)
    assert all(each.done() for each in waiting.values())


@pytest.mark.parametrize(("patience_s", "left"), [(1.0, 0), (ASK_AGAIN_S, 1)])
async def test_goodbyes_are_waited_for_and_not_for_ever(
    clock: Clock, patience_s: float, left: int
) -> None:
    connections = [2, 1, 0]

    class Leaving(Server):
        async def stats(self) -> Stats:
            busy = ModeStats(0, 0, 0, 0, 0, 0, connections.pop(0))
            return Stats(0.0, "epoch", 0, 0.0, 0, 0.0, {"ws": busy})

    server = Leaving("http://127.0.0.1:1", cast(ClientSession, None))
    waiting = asyncio.create_task(server.wait_for_goodbyes("ws", patience_s))
    await clock.advance(1)
    assert (await waiting).modes["ws"].connections == left


async def test_a_server_of_ours_stands_still_as_long_as_it_is_told(clock: Clock) -> None:
    done: list[str] = []
    ours = Server("http://127.0.0.1:1", cast(ClientSession, None))
    process = SimpleNamespace(
        suspend=lambda: done.append("still"), resume=lambda: done.append("on")
    )
    ours.process = cast(psutil.Process, process)
    stalling = asyncio.create_task(ours.stall(2))
    await clock.advance(1.9)
    assert done == ["still"]
    await clock.advance(0.2)
    await stalling
    assert done == ["still", "on"]


@pytest.mark.parametrize(("terminal", "lines"), [(True, 2), (False, 3)])
def test_a_good_run_is_a_line_where_there_is_no_bar_and_its_remarks_are_told_either_way(
    terminal: bool, lines: int
) -> None:
    paper = io.StringIO()
    planned = plans(Ambition(tiny("ws"), seed=1))
    outcome = Outcome(planned[0])
    outcome.remarks = ("one remark", "and another")
    watcher = Watcher(Console(file=paper, force_terminal=terminal, width=100), planned)
    row, _, _ = outcome.rows()
    watcher(outcome, replace(row, valid=True))
    said = paper.getvalue().splitlines()
    assert len(said) == lines
    assert said[-2:] == ["one remark", "and another"]
    assert ("WebSocket" in said[0]) != terminal


def test_progress_says_how_many_clients_are_there_until_all_are() -> None:
    outcome = Outcome(plans(Ambition(tiny(clients=10_000), seed=1))[0])
    outcome.attendance.counted = {0: 3000, 1: 400}
    assert connecting(outcome) == ", connecting 3,400 of 10,000"
    outcome.attendance.counted = {0: 5000, 1: 5000}
    assert connecting(outcome) == ""


async def test_server_that_does_not_answer_in_time_is_named(clock: Clock) -> None:
    connected = asyncio.Event()

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as silent:
        url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
        async with server_at(url) as server:
            asking = asyncio.create_task(server.stats())
            await connected.wait()
            await clock.advance(2 * ANSWER_TIMEOUT_S)
            with pytest.raises(ServerError, match="has not answered for 30 s: try fewer --clients"):
                await asking
