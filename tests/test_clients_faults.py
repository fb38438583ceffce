"""Faults come as planned, and are what they say; what they cost is told of each reader."""

import asyncio
import io
import os
import random
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock

import aiohttp
import psutil
import pytest
from aiohttp import WSCloseCode, WSMsgType
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple, replace

from clients import publishing
from clients.client import Client
from clients.direction import Line
from clients.errors import ServerError
from clients.experiment import Ambition, experiment, plans, seconds, sessions
from clients.faults import measuring
from clients.faults.injecting import HOW, Injected, inject
from clients.faults.line import Breakable, heed
from clients.faults.naive import Naive
from clients.faults.nginx import PLACES, SERVERS, before
from clients.faults.reading import Reading, readers
from clients.faults.schedule import CALM_S, KINDS, LEAST_QUIET_S, Planned, kinds_of, make_faults
from clients.faults.stage import LINE, Stage, staged
from clients.faults.telling import held
from clients.injected import Fault
from clients.log import Log, Run, read
from clients.modes import MODES
from clients.pace import Pace
from clients.place import Place
from clients.plan import Outcome
from clients.publisher import Order
from clients.recorder import Recorder
from clients.scenarios import SCENARIOS, Point, Scenario
from clients.server import Stats, server_at
from tests.conftest import Clock, Server, missing, until

GUIDE = Path(__file__).parent.parent / "docs" / "nginx.md"
PACE = Pace(interval_s=0.005, phase_s=0.0, hold_s=5.0)
SETTINGS = SCENARIOS["faults"].points[0].settings
BEFORE = Stats(0.0, "epoch", 0, 0.0, 0, 0.0, {})


# When


def test_the_same_seed_plans_the_same_faults() -> None:
    assert make_faults(SETTINGS, "1/1") == make_faults(SETTINGS, "1/1")
    assert make_faults(SETTINGS, "1/1") != make_faults(SETTINGS, "1/2")


def test_each_kind_comes_as_often_as_every_other() -> None:
    kinds = [fault.kind for fault in make_faults(SETTINGS, "1")]
    assert {kind: kinds.count(kind) for kind in kinds} == dict.fromkeys(KINDS, 6)


@given(st.floats(5, 200), st.floats(0.01, 1), st.sets(st.sampled_from(list(KINDS)), min_size=1),
       st.integers(0, 2**31))  # fmt: skip
def test_faults_never_overlap_and_leave_the_end_calm(
    duration_s: float, rate: float, kinds: set[str], seed: int
) -> None:
    settings = replace(
        SETTINGS, duration_s=duration_s, faults_per_s=rate, fault_kinds=",".join(kinds)
    )
    try:
        planned = make_faults(settings, str(seed))
    except ValueError:
        return  # there is no room for as many
    assert len(planned) == max(1, round(rate * duration_s))
    assert {fault.kind for fault in planned} <= kinds
    free_s = 0.0
    for fault in planned:
        assert fault.at_s >= free_s - 1e-6
        free_s = fault.at_s + fault.lasts_s + LEAST_QUIET_S
    assert free_s + CALM_S <= duration_s + 1e-6


def test_a_thousand_faults_take_less_than_half_an_hour() -> None:
    soak = replace(SETTINGS, duration_s=1200, faults_per_s=1000 / 1200)
    assert len(make_faults(soak, "1")) == 1000


def test_kinds_are_all_unless_they_are_named() -> None:
    assert kinds_of(SETTINGS) == tuple(KINDS) == tuple(HOW)
    assert kinds_of(replace(SETTINGS, fault_kinds="kill, cut")) == ("kill", "cut")
    with pytest.raises(ValueError, match="'fire' is no kind of fault: choose of cut"):
        kinds_of(replace(SETTINGS, fault_kinds="fire"))


def test_a_kind_that_is_named_twice_comes_twice_as_often() -> None:
    planned = make_faults(replace(SETTINGS, fault_kinds="cut,cut,sleep"), "1")
    kinds = [fault.kind for fault in planned]
    assert (kinds.count("cut"), kinds.count("sleep")) == (24, 12)


def test_all_modes_of_a_trial_meet_the_same_faults_and_take_the_time_of_one() -> None:
    listed = plans(Ambition(SCENARIOS["faults"], seed=1))
    (session,) = sessions(listed)
    assert {plan.mode for plan in session} == set(MODES)
    assert 90 < sum(map(seconds, session)) < 95
    assert [len(each) for each in sessions(plans(Ambition(SCENARIOS["quick"], seed=1)))] == [1] * 9


# The line


@pytest.fixture
async def line(server: Server) -> AsyncIterator[tuple[Breakable, str]]:
    """A line to `server` that can be broken, and its near end."""
    breakable = Breakable("127.0.0.1", server.port, Line(rtt_s=0.0), 1)
    near = await asyncio.get_running_loop().create_server(breakable.accept, "127.0.0.1", 0)
    async with near:
        yield breakable, f"http://127.0.0.1:{near.sockets[0].getsockname()[1]}"
        breakable.cut()


async def test_a_cut_resets_every_connection_and_no_new_one(
    line: tuple[Breakable, str], server: Server
) -> None:
    breakable, url = line
    async with aiohttp.ClientSession(url) as session, session.ws_connect("/ws?after=0") as ws:
        await ws.receive()
        breakable.cut()
        assert (await ws.receive()).type in {WSMsgType.CLOSED, WSMsgType.ERROR}
        assert ws.close_code == WSCloseCode.ABNORMAL_CLOSURE
        async with session.get("/stats") as response:
            assert response.status == 200


async def test_a_line_that_is_down_resets_whoever_comes(line: tuple[Breakable, str]) -> None:
    breakable, url = line
    async with aiohttp.ClientSession(url) as session:
        breakable.drop(3600)
        with pytest.raises(aiohttp.ClientOSError):
            await session.get("/stats")
        breakable.drop(0)
        async with session.get("/stats") as response:
            assert response.status == 200


async def test_a_stall_holds_back_and_breaks_nothing(
    line: tuple[Breakable, str], server: Server
) -> None:
    breakable, url = line
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession(url) as session, session.ws_connect("/ws?after=0") as ws:
        await ws.receive()
        began = loop.time()
        breakable.stall(0.05)
        server.publish("late")
        assert "late" in (await ws.receive()).data
        assert loop.time() - began >= 0.05


async def test_a_connection_whose_far_end_is_not_there_yet_is_reset_too(
    line: tuple[Breakable, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dial_for_ever(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("clients.link.connect", dial_for_ever)
    breakable, url = line
    _, port = url.rsplit(":", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    await until(lambda: any(end.out.source for end in breakable._ends))
    breakable.cut()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()


async def test_a_line_does_what_it_is_told_in_turn_and_ends_with_its_orders(
    line: tuple[Breakable, str], monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    breakable, _ = line
    done: list[tuple[object, ...]] = []
    for order in ("cut", "stall", "drop"):
        monkeypatch.setattr(breakable, order, partial(lambda *told: done.append(told), order))
    monkeypatch.setattr(sys, "stdin", io.StringIO("drop 2\ncut\nstall 0.5\n"))
    serving = asyncio.create_task(asyncio.sleep(3600))
    heed(breakable, serving)
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert done == [("drop", 2.0), ("cut",), ("stall", 0.5)]
    assert capfd.readouterr().out == "done\n" * 3


# Readers


@asynccontextmanager
async def reading(
    kind: type[Client], mode: str, url: str, place: Place
) -> AsyncIterator[tuple[list[int], Recorder]]:
    """Let a client of a kind read; yield the ids that it has had, and its rows."""
    ids: list[int] = []
    recorder = Recorder(run=1)
    client = kind(1, url, recorder, place, random.Random(1))

    async def read() -> None:
        async with client, aclosing(MODES[mode].messages(client, PACE)) as messages:
            async for message in messages:
                ids.append(message.id)  # noqa: PERF401  each as it comes

    task = asyncio.create_task(read())
    try:
        yield ids, recorder
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("kind", "lost"), [(Client, set()), (Naive, {2, 3})])
async def test_without_a_cursor_what_comes_while_a_reader_is_away_is_lost(
    mode: str, kind: type[Client], lost: set[int], line: tuple[Breakable, str], server: Server
) -> None:
    breakable, url = line
    async with reading(kind, mode, url, Place(server.feed.epoch, 0)) as (ids, recorder):
        server.publish("before")
        await until(lambda: ids == [1])
        breakable.drop(3600)
        await until(lambda: any(row.status == 0 for row in recorder.requests))
        server.publish("meanwhile", "and more")
        breakable.drop(0)
        while ids[-1] < 4:
            server.publish("after")
            await asyncio.sleep(0.02)
    assert {1, 2, 3} - set(ids) == lost
    assert ids == sorted(set(ids))


@pytest.mark.parametrize("mode", MODES)
async def test_without_a_fault_both_kinds_get_all(mode: str, server: Server) -> None:
    place = Place(server.feed.epoch, 0)
    async with (
        reading(Client, mode, server.url, place) as (one, _),
        reading(Naive, mode, server.url, place) as (other, _),
    ):
        for number in range(1, 6):
            server.publish(f"text {number}")
            await until(lambda: len(one) == len(other) == number)  # noqa: B023
    assert one == other == [1, 2, 3, 4, 5]


async def test_a_poller_whose_turn_is_late_is_waited_for(clock: Clock) -> None:
    late, early = (asyncio.create_task(asyncio.sleep(at_s)) for at_s in (29, 12))
    reading = Reading()
    reading.with_cursor, reading.without = {late}, {early}
    draining = asyncio.create_task(measuring._drain(reading, replace(SETTINGS, interval_s=30)))
    await clock.advance(28)
    assert not draining.done()
    await clock.advance(2)
    assert draining.done()
    assert late.done()


async def test_a_session_repeated_with_its_seed_publishes_under_keys_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def stand_by(*_: object) -> None:
        pass

    given: list[Order] = []
    monkeypatch.setattr(publishing, "ready", stand_by)
    monkeypatch.setattr(publishing, "give", lambda _, order: given.append(order))
    outcome = Outcome(plans(Ambition(SCENARIOS["faults"], seed=1))[0])
    async with server_at("http://127.0.0.1:1") as known:
        stage = Stage(known, None, "", None, None, asyncio.Event())  # type: ignore[arg-type]
        for _ in range(2):
            await measuring._publish([outcome], stage)
    first, again = (order.key for order in given)
    assert first != again


# What ends by itself


async def test_a_server_that_ends_by_itself_is_said_in_one_line() -> None:
    class Gone:
        def footprint(self) -> tuple[int, int]:
            raise psutil.NoSuchProcess(1)

    stage = Stage(None, None, "", None, Gone(), asyncio.Event())  # type: ignore[arg-type]
    with pytest.raises(ServerError, match="has ended by itself"):
        await inject([Planned("sleep", 0.0, 0.0)], 0, 10**12, stage, [])


async def test_a_fault_of_a_line_or_of_readers_needs_no_server_of_ours() -> None:
    stage = Stage(None, None, "", None, None, asyncio.Event())  # type: ignore[arg-type]
    done: list[Injected] = []
    await inject([Planned("sleep", 0.0, 0.0)], 0, 10**12, stage, done)
    (fault,) = done
    assert (fault.kind, fault.server_rss_bytes, fault.server_files) == ("sleep", None, None)
    assert stage.awake.is_set()
    outcome = Outcome(plans(Ambition(SCENARIOS["faults"], seed=1))[0])
    outcome.faults = [Fault(1, *astuple(fault))]
    assert held(outcome) == ()  # which nobody could see


async def test_a_server_at_an_url_is_led_to_by_the_line_and_is_not_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[tuple[str, ...]] = []

    @asynccontextmanager
    async def start(*command: str) -> AsyncIterator[None]:
        started.append(command[:2])
        yield

    monkeypatch.setattr("clients.faults.stage.child", start)
    monkeypatch.setattr("clients.faults.stage.address_of", AsyncMock(return_value="its near end"))
    (plan, *_) = plans(Ambition(SCENARIOS["faults"], seed=1))
    async with staged(plan, "http://127.0.0.1:1") as stage:
        assert (stage.server.url, stage.address) == ("http://127.0.0.1:1", "its near end")
        assert stage.lives is None
        assert stage.awake.is_set()
    assert started == [("clients.publisher",), (LINE, "http://127.0.0.1:1")]


async def test_a_line_is_waited_for_until_it_has_done_what_it_was_told() -> None:
    command = (sys.executable, "-c", "print(input()); print('done')")
    line = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    stage = Stage(None, line, "", None, None, asyncio.Event())  # type: ignore[arg-type]
    await stage.tell_line("drop", 2)
    assert line.stdout is not None
    assert await line.stdout.read() == b""  # all that it said was heard
    assert await line.wait() == 0


async def test_a_line_that_ends_by_itself_is_said_in_one_line() -> None:
    command = (sys.executable, "-c", "input()")
    line = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    stage = Stage(None, line, "", None, None, asyncio.Event())  # type: ignore[arg-type]
    with pytest.raises(ServerError, match="ended with code 0 before its time"):
        await stage.tell_line("cut")


@pytest.fixture
def nothing_read(monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """Return a run of which every reader waits for ever."""

    async def read_on(*_: object) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("clients.faults.reading._read", read_on)
    return Outcome(plans(Ambition(SCENARIOS["faults"], seed=1))[0])


def stage_with(**between: Process) -> Stage:
    nothing: Any = None
    return Stage(nothing, nothing, "", nothing, None, asyncio.Event(), between)


@pytest.mark.parametrize("name", [LINE, "nginx"])
async def test_what_is_killed_between_readers_and_server_ends_the_session_by_name(
    nothing_read: Outcome, name: str
) -> None:
    command = (sys.executable, "-c", "input()")
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)

    async def read() -> None:
        async with readers([nothing_read], stage_with(**{name: process}), BEFORE):
            process.kill()
            await asyncio.Event().wait()  # as if it would never end

    with pytest.raises(ServerError, match=f"{name} was killed by signal 9 before its time$"):
        await read()


async def test_no_fault_comes_before_readers_without_a_cursor_are_there_too(
    nothing_read: Outcome,
) -> None:
    attendance = nothing_read.attendance
    async with readers([nothing_read], stage_with(), BEFORE):
        with_cursor, without = attendance.measured[:3], attendance.measured[3:]
        assert [type(client) for client in without] == [Naive] * 3
        for client in with_cursor:
            client.joined = True
        assert not attendance.complete
        attendance.held = 5  # of long polls of both
        assert not attendance.complete
        for client in without:
            client.joined = True
        assert attendance.complete


async def test_more_faults_than_there_is_room_for_are_refused(tmp_path: Path) -> None:
    settings = replace(SETTINGS, duration_s=3, faults_per_s=9)
    crowded = replace(SCENARIOS["faults"], points=(Point(settings),))
    with pytest.raises(ServerError, match="27 faults take"):
        await experiment(Ambition(crowded, seed=1), tmp_path / "log", lambda *_: None)
    assert not (tmp_path / "log").exists()


# The whole


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """Return the scenario with one reader of each kind, and two faults in a hurry."""
    for module in ("schedule", "measuring"):
        monkeypatch.setattr(f"clients.faults.{module}.CALM_S", 0.3)
    for module in ("schedule", "injecting"):
        monkeypatch.setattr(f"clients.faults.{module}.LEAST_QUIET_S", 0.1)
    monkeypatch.setitem(KINDS, "kill", 0.7)
    settings = replace(
        SETTINGS, clients=1, duration_s=1.6, warmup_s=0.1, interval_s=0.05, rate_per_s=40,
        faults_per_s=1.25, fault_kinds="cut,kill",
    )  # fmt: skip
    return replace(SCENARIOS["faults"], points=(Point(settings),))


async def carried_out(scenario: Scenario, folder: Path) -> Log:
    """Measure, and hold what is the same whatever stands in front."""
    said: list[str] = []

    def keep(outcome: Outcome, run: Run | None) -> None:
        said.extend(outcome.remarks if run is not None else ())

    await experiment(Ambition(scenario, seed=2), folder, keep)  # which kills first
    log = read(folder)
    assert sum("open files at the first fault" in line for line in said) == 1
    assert log.runs.select("lost", "duplicates", "out_of_order", "gaps").sum().row(0) == (0,) * 4
    assert set(log.runs["mode"]) == set(MODES)
    assert log.runs["publish_failures"].sum() == 0
    assert log.beside is not None
    for run in log.runs["run"]:
        kinds = log.beside.faults.filter(run=run).sort("began_ns")
        assert kinds["kind"][0] == "kill"  # where it took long, there was no time for others
        assert set(kinds["kind"]) <= {"cut", "kill"}
        assert (kinds["ended_ns"] >= kinds["began_ns"]).all()
        assert (kinds["server_files"] > 0).all()
        assert log.beside.deliveries.filter(run=run)["client"].unique().to_list() == [1]
    return log


async def test_a_session_loses_nothing_with_a_cursor(hurried: Scenario, tmp_path: Path) -> None:
    log = await carried_out(hurried, tmp_path / "log")
    published = log.runs["published"].unique().to_list()
    assert published == [log.deliveries.filter(run=1)["message"].n_unique()]
    assert not [reason for reason in log.runs["void_because"] if "lost" in reason]


def test_nginx_is_set_up_as_the_guide_has_it() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    lines = [line.strip() for line in SERVERS.splitlines()]
    said = [line for line in lines if line.startswith("proxy_") and "temp_path" not in line]
    assert len(said) == 9
    assert [line for line in said if line not in guide] == []


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_nginx_leaves_neither_a_process_nor_a_folder_when_who_started_it_has_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which("nginx", path=PLACES) is None:
        missing("nginx")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    async with before("http://127.0.0.1:1") as (_, front):
        started = psutil.Process(front.pid).children(recursive=True)
        assert {process.name() for process in started} == {"nginx"}
        assert names_in(tmp_path)
        assert front.stdin is not None
        front.stdin.close()
        await front.wait()
        assert not any(process.is_running() for process in started)
        assert not names_in(tmp_path)


async def test_nginx_that_does_not_start_has_its_last_words_in_the_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn = tmp_path / "nginx"
    stubborn.write_text("#!/bin/sh\necho warning >&2\necho 'bind() failed' >&2\nexit 1\n")
    stubborn.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(ServerError, match=r"^nginx did not start: bind\(\) failed$"):
        async with before("http://127.0.0.1:1"):
            pass


@pytest.fixture
async def front(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> asyncio.StreamReader:
    """Return what nginx's keeper is to say, in whose place there is one that removes nothing."""
    said = asyncio.StreamReader()

    @asynccontextmanager
    async def child(_: str, __: str, folder: str) -> AsyncIterator[SimpleNamespace]:
        (Path(folder) / "nginx.conf").touch()
        yield SimpleNamespace(stdout=said)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("clients.faults.nginx.child", child)
    return said


async def test_nginx_leaves_no_folder_when_its_keeper_removes_nothing(
    front: asyncio.StreamReader, tmp_path: Path
) -> None:
    front.feed_data(b"Listening on http://127.0.0.1:1\n")
    async with before("http://127.0.0.1:1"):
        assert names_in(tmp_path)
    assert not names_in(tmp_path)


@pytest.mark.usefixtures("front")
async def test_an_nginx_that_is_never_heard_of_is_not_waited_for_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("clients.faults.nginx.START_TIMEOUT_S", 0)
    with pytest.raises(ServerError, match="nginx did not start: it does not say why"):
        async with before("http://127.0.0.1:1"):
            pass


async def test_nothing_is_lost_through_nginx_either(hurried: Scenario, tmp_path: Path) -> None:
    if shutil.which("nginx", path=PLACES) is None:
        missing("nginx")
    (point,) = hurried.points
    through = Point(replace(point.settings, proxy="nginx"))
    log = await carried_out(replace(hurried, points=(through,)), tmp_path / "log")
    assert set(log.runs["proxy"]) == {"nginx"}
