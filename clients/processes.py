"""Processes of this project: each is started, says where it listens, and is stopped at the end.

Whatever happens, none outlives the block that it was started for; and if the starting process is
killed, each ends by itself, since its standard input closes.
"""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import psutil

from clients.errors import ServerError
from clients.records import Settings
from clients.server import Server, server_at
from clients.worker import ended
from demo.message import MAX_TEXT_BYTES

LISTENING = "Listening on "
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0
LONGEST_LINE_BYTES = 1 << 24  # of what a process says: a census has a count for each message


def server_options(settings: Settings) -> tuple[str, ...]:
    """Return with what a server is started so that it can do what the settings want of it."""
    longest = str(max(MAX_TEXT_BYTES, settings.payload_bytes))
    deflate = ("--deflate",) if settings.deflate else ()
    ours = ("--publish-rate", "0", "--max-connections", "0", "--until-stdin-closes")
    return (*ours, "--max-text-bytes", longest, *deflate)


@asynccontextmanager
async def fresh_server(settings: Settings) -> AsyncIterator[Server]:
    """Start `python -m demo` on a free port; stop it at the end, whatever happens."""
    async with (
        child("demo", "--port", "0", *server_options(settings)) as process,
        server_at(await address_of(process, "demo")) as server,
    ):
        try:
            server.process = psutil.Process(process.pid)
        except psutil.NoSuchProcess:
            raise await ended(process, "demo") from None
        yield server


@asynccontextmanager
async def link_to(url: str, settings: Settings, seed: str) -> AsyncIterator[str]:
    """Put the emulated line before the server at `url`; yield the address of its near end."""
    async with linked(url, settings, seed) as (near, _):
        yield near


@asynccontextmanager
async def linked(
    url: str, settings: Settings, seed: str, sources: int = 1
) -> AsyncIterator[tuple[str, Process]]:
    """Put the emulated line before the server at `url`; yield its near end, and its process.

    sources: from how many loopback addresses its far end is to reach the server
    """
    options = (
        *("--rtt-ms", str(settings.rtt_ms)),
        *("--jitter-ms", str(settings.jitter_ms)),
        *("--kbit-per-s", str(settings.kbit_per_s)),
        *("--seed", seed),
        *("--sources", str(sources)),
    )
    async with child("clients.link", url, *options) as process:
        yield await address_of(process, "clients.link") + urlsplit(url).path, process


@asynccontextmanager
async def process_at(module: str, *options: str) -> AsyncIterator[str]:
    """Run a module that prints where it listens; yield that address."""
    async with child(module, *options) as process:
        yield await address_of(process, module)


@asynccontextmanager
async def child(module: str, *options: str) -> AsyncIterator[Process]:
    """Run a module of this project as a process of its own, for as long as the block lasts.

    A session of its own keeps the terminal's Ctrl-C from it: who started it stops it. Where that is
    cancelled twice, it is killed.
    """
    python, environment = interpreter()
    process = await asyncio.create_subprocess_exec(
        python,
        *("-m", module, *options),
        env=environment,
        stdin=PIPE,
        stdout=PIPE,
        limit=LONGEST_LINE_BYTES,
        start_new_session=os.name == "posix",
    )
    try:
        yield process
    finally:
        stopping = asyncio.create_task(_stop(process, 0 if _hurried() else STOP_TIMEOUT_S))
        try:
            await asyncio.shield(stopping)
        except asyncio.CancelledError:
            _kill(process)
            await stopping
            raise


def interpreter() -> tuple[str, dict[str, str] | None]:
    """Return which Python to start, and in which environment, so that it is the process started.

    On Windows the python.exe of a virtual environment only starts another, and would be measured
    in its place. That other finds the environment by a variable, as for multiprocessing.
    """
    base = getattr(sys, "_base_executable", sys.executable)
    if sys.platform != "win32" or base == sys.executable:
        return sys.executable, None
    return base, {**os.environ, "__PYVENV_LAUNCHER__": sys.executable}


async def _stop(process: Process, within_s: float) -> None:
    _send(process, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), within_s)
    except TimeoutError:
        _kill(process)
        await process.wait()


def _send(
    process: Process, number: signal.Signals, send: Callable[[int, int], None] = os.kill
) -> None:
    """Send a signal to a process, if it has not ended.

    Its own `send_signal` would first ask whether it has, and take the exit code that the event loop
    waits for.
    """
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):  # Windows: the latter
            send(process.pid, number)


def _kill(process: Process) -> None:
    """Kill a process with all that it has started: its session has a group of its number."""
    send = os.killpg if os.name == "posix" else os.kill
    _send(process, getattr(signal, "SIGKILL", signal.SIGTERM), send)


def _hurried() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 1


async def address_of(process: Process, module: str) -> str:
    """Wait until a process says where it listens; raise ServerError when it does not."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while line := (await process.stdout.readline()).decode():
                if line.startswith(LISTENING):
                    return line.removeprefix(LISTENING).split()[0]
    except TimeoutError:
        pass
    raise ServerError(f"{module} did not start: try `python -m {module}` by itself to see why")
