"""What a session with faults is played on: server, perhaps a proxy, the line, the publisher."""

import asyncio
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from clients.faults.line import DONE
from clients.faults.lives import Lives, lives
from clients.faults.nginx import before
from clients.plan import Plan
from clients.processes import address_of, child
from clients.server import Server, server_at
from clients.worker import ended

LINE = "clients.faults.line"


class Stage(msgspec.Struct, frozen=True):
    """The processes of a session.

    server: as it is asked directly, and published to; lives: its processes, if they are ours
    line, address: readers come by it, and reach it there
    awake: is set but while all readers sleep
    between: what stands between readers and server, by name: where one of these ends, all is over
    """

    server: Server
    line: Process
    address: str
    publisher: Process
    lives: Lives | None
    awake: asyncio.Event
    between: dict[str, Process] = {}

    async def tell_line(self, *order: object) -> None:
        """Have the line do something, and wait until it has."""
        assert self.line.stdin is not None
        assert self.line.stdout is not None
        self.line.stdin.write(b"%s\n" % " ".join(map(str, order)).encode())
        while (said := await self.line.stdout.readline()).strip() != DONE:
            if not said:
                raise await ended(self.line, LINE)


@asynccontextmanager
async def staged(plan: Plan, url: str | None) -> AsyncIterator[Stage]:
    """Set a session's stage: with the server at `url`, or one of our own that can be killed."""
    settings = plan.settings
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        publisher = await enter(child("clients.publisher"))
        own = None
        if url is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="feed-"))
            own = await enter(lives(Path(folder) / "feed.db", settings))
            url = own.url
        server = await enter(server_at(url))
        between: dict[str, Process] = {}
        front = url
        if settings.proxy:
            front, between["nginx"] = await enter(before(url))
        emulated = (
            *("--rtt-ms", str(settings.rtt_ms)),
            *("--jitter-ms", str(settings.jitter_ms)),
            *("--kbit-per-s", str(settings.kbit_per_s)),
            *("--seed", str(plan.run)),
        )
        line = between[LINE] = await enter(child(LINE, front, *emulated))
        address = await address_of(line, LINE) + urlsplit(server.url).path
        awake = asyncio.Event()
        awake.set()
        yield Stage(server, line, address, publisher, own, awake, between)
