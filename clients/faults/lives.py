"""A server that is killed and comes back on its port and its file, so that its feed goes on."""

import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from clients.processes import address_of, child, server_options
from clients.records import Settings


class Lives:
    """`python -m demo` with its feed in a file, one process after another; see `lives`."""

    def __init__(self, feed: Path, settings: Settings) -> None:
        self.url = ""
        self._options = ("--feed", f"sqlite:///{feed}", *server_options(settings))
        self._port = 0
        self._life = AsyncExitStack()
        self._process: Process | None = None

    async def begin(self) -> None:
        """Start a process, on the port that the first one got."""
        starting = child("demo", "--port", str(self._port), *self._options)
        self._process = await self._life.enter_async_context(starting)
        self.url = await address_of(self._process, "demo")
        self._port = urlsplit(self.url).port or 0

    async def end(self) -> None:
        """Stop it as one stops a server."""
        await self._life.aclose()

    async def kill_and_begin(self) -> None:
        """Kill it as it stands (SIGKILL), and start another."""
        assert self._process is not None
        self._process.kill()
        await self._process.wait()
        await self.end()
        await self.begin()

    @property
    def process(self) -> psutil.Process:
        """The process that serves now."""
        assert self._process is not None
        return psutil.Process(self._process.pid)

    def footprint(self) -> tuple[int, int]:
        """Return what it holds: bytes of memory, and open files."""
        process: Any = self.process  # its methods are not the same on every system
        files = process.num_handles() if os.name == "nt" else process.num_fds()
        return process.memory_info().rss, files


@asynccontextmanager
async def lives(feed: Path, settings: Settings) -> AsyncIterator[Lives]:
    """Start a server that can be killed; whatever happens, none is left at the end."""
    server = Lives(feed, settings)
    try:
        await server.begin()
        yield server
    finally:
        await server.end()
