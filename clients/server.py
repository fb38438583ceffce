"""The server under measurement: always another process, seen through its own /stats."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import psutil

from clients.client import Place
from clients.log import Settings

LISTENING = "Listening on "
START_TIMEOUT_S = 15.0
STOP_TIMEOUT_S = 5.0
ASK_AGAIN_S = 0.02


class ServerError(Exception):
    """The server cannot be measured; the message says why and what to do."""


class ModeStats(msgspec.Struct, frozen=True):
    """The server's counters of one mode."""

    requests: int
    deliveries: int
    bytes_in: int
    bytes_out: int
    connections: int


class Stats(msgspec.Struct, frozen=True):
    """What /stats says, as far as it is needed here."""

    epoch: str
    head: int
    cpu_s: float
    rss_bytes: int
    loop_lag_max_ms: float
    modes: dict[str, ModeStats]

    @property
    def place(self) -> Place:
        """The head of the feed, where new readers start."""
        return Place(self.epoch, self.head)


class Server:
    """Ask one server for its counters."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.process: psutil.Process | None = None  # known of a server that we started
        self._session = session

    async def stats(self) -> Stats:
        """Ask for the counters; raise ServerError when there is no answer, or a foreign one."""
        try:
            async with self._session.get(self.url + "/stats") as response:
                return msgspec.json.decode(await response.read(), type=Stats)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise ServerError(
                f"nothing answers at {self.url} ({error}): start a server with "
                "`python -m demo`, or leave --url out"
            ) from None
        except ValueError:
            raise ServerError(
                f"what answers at {self.url} is not this project's server: give --url the "
                "address that `python -m demo` prints"
            ) from None

    async def wait_for_requests(self, mode: str, count: int, timeout_s: float) -> None:
        """Wait until the server has begun `count` requests of `mode`; else raise ServerError."""
        try:
            async with asyncio.timeout(timeout_s):
                while (await self.stats()).modes[mode].requests < count:  # noqa: ASYNC110
                    await asyncio.sleep(ASK_AGAIN_S)
        except TimeoutError:
            raise ServerError(
                f"not all clients could ask within {timeout_s:.0f} s: try fewer --clients"
            ) from None

    async def wait_for_goodbyes(self, mode: str, timeout_s: float) -> Stats:
        """Wait until no connection of `mode` is left, so that every byte has been counted."""
        stats = await self.stats()
        for _ in range(int(timeout_s / ASK_AGAIN_S)):
            if not stats.modes[mode].connections:
                break
            await asyncio.sleep(ASK_AGAIN_S)
            stats = await self.stats()
        return stats

    async def stall(self, seconds: float) -> None:
        """Stop the server's process for a while, as a long garbage collection would."""
        if self.process is None:
            raise ServerError("a server at --url cannot be stopped from here: leave --url out")
        self.process.suspend()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.process.resume()


@asynccontextmanager
async def server_at(url: str) -> AsyncIterator[Server]:
    """Yield the server that listens at `url`."""
    timeout = aiohttp.ClientTimeout(total=5)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Server(url.rstrip("/"), session)


@asynccontextmanager
async def fresh_server(*options: str) -> AsyncIterator[Server]:
    """Start `python -m demo` on a free port; stop it at the end, whatever happens."""
    options = ("--port", "0", "--publish-rate", "0", "--until-stdin-closes", *options)
    async with (
        child("demo", *options) as process,
        server_at(await address_of(process, "demo")) as server,
    ):
        server.process = psutil.Process(process.pid)
        yield server


@asynccontextmanager
async def link_to(url: str, settings: Settings, seed: int) -> AsyncIterator[str]:
    """Put the emulated line before the server at `url`; yield the address of its near end."""
    async with linked(url, settings, seed) as (near, _):
        yield near


@asynccontextmanager
async def linked(url: str, settings: Settings, seed: int) -> AsyncIterator[tuple[str, Process]]:
    """Put the emulated line before the server at `url`; yield its near end, and its process."""
    options = (
        *("--rtt-ms", str(settings.rtt_ms)),
        *("--jitter-ms", str(settings.jitter_ms)),
        *("--kbit-per-s", str(settings.kbit_per_s)),
        *("--seed", str(seed)),
    )
    async with child("clients.link", url, *options) as process:
        yield await address_of(process, "clients.link"), process


@asynccontextmanager
async def process_at(module: str, *options: str) -> AsyncIterator[str]:
    """Run a module that prints where it listens; yield that address."""
    async with child(module, *options) as process:
        yield await address_of(process, module)


@asynccontextmanager
async def child(module: str, *options: str) -> AsyncIterator[Process]:
    """Run a module of this project as a process of its own, for as long as the block lasts.

    A session of its own keeps the terminal's Ctrl-C from it: who started it stops it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", module, *options),
        stdin=PIPE,
        stdout=PIPE,
        start_new_session=os.name == "posix",
    )
    try:
        yield process
    finally:
        await asyncio.shield(_stop(process))


async def _stop(process: Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        process.kill()
        await process.wait()


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
