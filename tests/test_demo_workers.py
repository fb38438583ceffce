"""Several workers on one port, started and ended by one process."""

import asyncio
import errno
import random
import signal
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NoReturn

import psutil
import pytest
from aiohttp import ClientSession, TCPConnector

from demo.options import LOOPS
from demo.stop import Stop
from demo.stream import KEY
from demo.workers import RESTART_S, Worker, run_workers
from tests.conftest import Clock, Demo, Refusal, StartDemo, one_line
from tests.hoppers import MODES, Hopper, Publisher, check
from tests.redis_servers import RedisServer, free_port

ENDS = (signal.SIGTERM, signal.SIGINT)
RunDemo = Callable[..., Demo]

ROOT = Path(__file__).parent.parent


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """A session that opens a connection for each request: any worker may be at its end."""
    async with ClientSession(connector=TCPConnector(force_close=True)) as session:
        yield session


@pytest.fixture
def workers(start_demo: StartDemo, redis: RedisServer) -> Demo:
    """Two workers on a free port."""
    return start_demo("--workers", "2", "--feed", redis.url)


def children(demo: Demo) -> list[psutil.Process]:
    """The workers' processes, in the order in which they were started."""
    return sorted(psutil.Process(demo.process.pid).children(), key=lambda p: p.create_time())


def gone(processes: list[psutil.Process]) -> bool:
    _, alive = psutil.wait_procs(processes, timeout=30)
    return not alive


async def until_heard(http: ClientSession, url: str, number: int) -> None:
    """Ask until the worker of this number answers."""
    while True:
        async with http.get(f"{url}/stats") as response:
            stats = await response.json()
            assert stats["workers"] == 2
            if stats["worker"] == number:
                return
        await asyncio.sleep(0.005)


async def test_one_address_is_printed_and_every_worker_answers_there(
    workers: Demo, http: ClientSession
) -> None:
    assert workers.said == [workers.said[-1]]
    assert workers.url == f"http://127.0.0.1:{workers.port}"
    for url in workers.urls:
        for number in (1, 2):
            await until_heard(http, url, number)


async def test_readers_and_publishers_need_not_know_which_worker_they_have(
    workers: Demo, http: ClientSession
) -> None:
    readers = [Hopper(mode, [workers.url], http, random.Random(1)) for mode in MODES]
    publisher = Publisher([workers.url], http, random.Random(1))
    reading = [asyncio.create_task(reader.read_to(100)) for reader in readers]
    await publisher.publish(map(str, range(100)))
    await asyncio.gather(*reading)
    check(readers, [publisher])
    assert publisher.doubtful == set()


@pytest.mark.parametrize(("number", "loop"), list(zip(ENDS, LOOPS, strict=False)))
async def test_a_signal_ends_all_workers_and_closes_their_sockets(
    start_demo: StartDemo,
    redis: RedisServer,
    http: ClientSession,
    loop: str,
    number: signal.Signals,
) -> None:
    demo = start_demo("--workers", "2", "--feed", redis.url, "--loop", loop)
    processes = children(demo)
    assert len(processes) == 2
    sockets = [await http.ws_connect(f"{demo.url}/ws") for _ in range(6)]
    for ws in sockets:
        await ws.receive_json()
    assert await asyncio.to_thread(demo.stop, number) == (0, "", "")
    assert gone(processes)
    for ws in sockets:
        assert (await ws.receive()).data == 1001


async def test_a_worker_that_dies_is_replaced_and_costs_nobody_a_message(
    workers: Demo, http: ClientSession
) -> None:
    readers = [Hopper(mode, [workers.url], http, random.Random(1)) for mode in MODES]
    publisher = Publisher([workers.url], http, random.Random(1))
    reading = [asyncio.create_task(reader.read_to(1 << 53)) for reader in readers]
    await publisher.publish(f"before {n}" for n in range(20))
    children(workers)[1].kill()
    await publisher.publish(f"meanwhile {n}" for n in range(20))
    assert workers.process.stdout is not None
    line = await asyncio.to_thread(workers.process.stdout.readline)
    assert line == "Worker 2 has ended (exit code -9): another is started\n"
    await until_heard(http, workers.url, 2)
    await publisher.publish(f"after {n}" for n in range(20))
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    last = max(*(reader.cursor for reader in readers), *publisher.taken)
    await asyncio.gather(*(reader.read_to(last) for reader in readers))
    check(readers, [publisher])
    assert await asyncio.to_thread(workers.stop) == (0, "", "")


async def test_a_worker_that_was_to_be_replaced_does_not_hold_the_end_up(workers: Demo) -> None:
    processes = children(workers)
    processes[0].kill()
    assert workers.process.stdout is not None
    await asyncio.to_thread(workers.process.stdout.readline)
    code, _, err = await asyncio.to_thread(workers.stop)
    assert (code, err) == (0, "")
    assert gone(processes)


def test_no_worker_outlives_the_process_that_started_it(workers: Demo) -> None:
    processes = children(workers)
    workers.stop(signal.SIGKILL)
    assert gone(processes)


async def test_what_a_worker_says_is_said_with_its_number(
    workers: Demo, http: ClientSession
) -> None:
    foreign = {"Origin": "https://example.org"}
    async with http.post(f"{workers.url}/messages", json={}, headers=foreign) as response:
        assert response.status == 403
    _, out, _ = await asyncio.to_thread(workers.stop)
    assert out.startswith(("Worker 1: refused a page", "Worker 2: refused a page"))


# What cannot be


@pytest.fixture
def unstarted(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The commands that could not be started, as none can."""
    commands: list[object] = []

    async def fail(*command: object, **_: object) -> NoReturn:
        commands.append(command)
        raise BlockingIOError(errno.EAGAIN, "no process to spare")

    monkeypatch.setattr(asyncio, "create_subprocess_exec", fail)
    return commands


async def test_the_first_worker_that_cannot_be_started_is_one_line_and_all_end(
    unstarted: list[object],
) -> None:
    said: list[str] = []
    workers = [Worker(number, [], said.append) for number in (1, 2)]
    assert await run_workers(workers, Stop(), lambda: said.append("ready")) == 2
    assert said == ["Worker 1 cannot be started (no process to spare)"]
    assert len(unstarted) == 1


async def test_a_worker_that_cannot_be_started_again_is_tried_until_all_end(
    clock: Clock, unstarted: list[object]
) -> None:
    worker, stop = Worker(1, [], lambda _: None), Stop()
    worker.listens.set()
    keeping = asyncio.create_task(worker.keep(stop))
    await clock.advance(2 * RESTART_S)
    assert len(unstarted) == 3
    stop.ask()
    await keeping
    assert worker.code == 0


async def test_a_worker_that_served_and_can_no_more_ends_all() -> None:
    said: list[str] = []
    workers = [Worker(number, [], said.append) for number in (1, 2)]
    waits, serves_no_more = "input()", "raise SystemExit(2)"
    for worker, end in zip(workers, (waits, serves_no_more), strict=True):
        worker._command = [sys.executable, "-c", f"print('Listening on x', flush=True); {end}"]
    assert await run_workers(workers, Stop(), lambda: None) == 2
    assert said == []


async def test_a_worker_that_is_killed_before_it_could_serve_ends_all_and_that_is_said() -> None:
    said: list[str] = []
    worker, stop = Worker(1, [], said.append), Stop()
    worker._command = ["sh", "-c", "kill -9 $$"]
    await worker.keep(stop)
    assert stop.asked.is_set()
    assert said == ["Worker 1 has ended (exit code -9) before it could serve: all end"]


def test_workers_without_redis_are_refused_with_the_reason(refusal: Refusal) -> None:
    line = refusal("--port", "0", "--workers", "2")
    assert "--workers 2 needs --feed redis://" in line
    assert "a memory or a file is of one process" in line


def test_a_redis_that_is_not_there_is_one_line_that_names_the_option(
    refusal: Refusal, run_demo: RunDemo
) -> None:
    arguments = ("--port", "0", "--feed", f"redis://user:secret@127.0.0.1:{free_port()}/0")
    for line in (refusal(*arguments), one_line(run_demo(*arguments, "--workers", "2"))):
        assert line.startswith("python -m demo: no Redis answers at 127.0.0.1:")
        assert "--feed" in line
        assert "secret" not in line


def test_a_stream_that_holds_something_else_ends_the_server_with_the_reason(
    start_demo: StartDemo, refusal: Refusal, redis: RedisServer
) -> None:
    demo = start_demo("--feed", redis.url)
    redis.command("XADD", KEY, f"{1 << 60}-1", "no", "message")
    lines = [one_line(demo), refusal("--port", "0", "--feed", redis.url)]
    assert all(f"entry 1 of the stream '{KEY}' is no message" in line for line in lines)


def test_a_port_of_other_workers_is_in_use(
    refusal: Refusal, workers: Demo, redis: RedisServer
) -> None:
    for count in "12":
        line = refusal("--port", str(workers.port), "--workers", count, "--feed", redis.url)
        assert f"port {workers.port}" in line


def test_a_missing_package_is_one_line_that_names_what_to_install() -> None:
    program = (
        "import runpy, sys; sys.modules['redis'] = None; "
        "sys.argv = ['demo', '--port', '0', '--feed', 'redis://127.0.0.1/0']; "
        "runpy.run_module('demo', run_name='__main__')"
    )
    end = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=50
    )
    assert (end.returncode, end.stdout) == (2, "")
    (line,) = end.stderr.splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (package,) = project["project"]["optional-dependencies"]["redis"]
    assert "needs the package redis" in line
    assert line.endswith(f"-m pip install '{package}'")
    assert package in project["dependency-groups"]["dev"]
