"""Readers of every mode that must not be disturbed, and a publisher that shows that they are not.

Each reads ids without a gap; every message of the control publisher reaches every one of them.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp

PATIENCE_S = 15.0
MIB = 1024 * 1024


class Disturbed(Exception):
    """A reader has missed something, or was thrown out."""


@dataclass
class Reader:
    """What a reader has; `heard` is set when its cursor, or its last control text, has moved."""

    name: str
    cursor: int = 0
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self, number: int) -> None:
        """Take the message of this id, which must be the next."""
        if number != self.cursor + 1:
            raise Disturbed(f"{self.name}: after {self.cursor} came {number}")
        self.cursor = number
        self.heard.set()


class Controls:
    """Publish, and see that all hear it."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self.published = 0
        self.readers = [Reader(name) for name in ("short", "long", "ws")]
        self.guest = Reader("room")
        self._session = session
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Let all read."""
        short, long, ws = self.readers
        listening = asyncio.Event(), asyncio.Event()
        works = (
            _poll(self._session, short, "/short-poll", 0.002),
            _poll(self._session, long, "/long-poll", 0),
            _listen(self._session, ws, listening[0]),
            _sit(self._session, self.guest, listening[1]),
        )
        self._tasks = [asyncio.create_task(work) for work in works]
        await self._wait(listening[0].wait())
        await self._wait(listening[1].wait())

    async def check(self) -> None:
        """Publish a message; return when all have it; raise Disturbed."""
        self.published += 1
        draft = {"sender": "control", "text": f"control {self.published}"}
        async with self._session.post("/messages", json=draft) as response:
            if response.status != 201:
                raise Disturbed(f"publishing was answered {response.status}")
            number = (await response.json())["id"]
        for reader in self.readers:
            await self._until(reader, number)
        await self._until(self.guest, self.published)

    async def memory_mib(self) -> float:
        """Return how much memory the server has, as it says."""
        async with self._session.get("/stats") as response:
            return float((await response.json())["rss_bytes"] / MIB)

    async def stop(self) -> None:
        """Read no more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _until(self, reader: Reader, cursor: int) -> None:
        while reader.cursor < cursor:
            reader.heard.clear()
            await self._wait(reader.heard.wait())

    async def _wait(self, what: Any) -> None:
        waiting = asyncio.ensure_future(what)
        await asyncio.wait(
            [waiting, *self._tasks], timeout=PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in self._tasks:
            if task.done():
                task.result()
                raise Disturbed("a reader has ended")
        if not waiting.done():
            waiting.cancel()
            raise Disturbed(f"a message was not there after {PATIENCE_S:g} s")


@asynccontextmanager
async def controls(url: str) -> AsyncIterator[Controls]:
    """Let the control readers read for as long as the block lasts."""
    timeout = aiohttp.ClientTimeout(total=PATIENCE_S * 3)
    async with aiohttp.ClientSession(url, timeout=timeout) as session:
        control = Controls(session)
        try:
            await control.start()
            yield control
        finally:
            await control.stop()


async def _poll(
    session: aiohttp.ClientSession, reader: Reader, path: str, interval_s: float
) -> None:
    while True:
        async with session.get(path, params={"after": reader.cursor}) as response:
            if response.status == 200:
                for message in (await response.json())["messages"]:
                    reader.take(message["id"])
            elif response.status != 204:
                raise Disturbed(f"{reader.name} was answered {response.status}")
        await asyncio.sleep(interval_s)


async def _listen(session: aiohttp.ClientSession, reader: Reader, listening: asyncio.Event) -> None:
    async with session.ws_connect("/ws", params={"after": 0}) as ws:
        async for frame in ws:
            message = frame.json()
            listening.set()
            if "id" in message:
                reader.take(message["id"])
        raise Disturbed(f"the WebSocket of {reader.name} was closed with {ws.close_code}")


async def _sit(session: aiohttp.ClientSession, reader: Reader, listening: asyncio.Event) -> None:
    async with session.ws_connect("/") as ws:
        listening.set()
        async for frame in ws:
            word, _, number = frame.data.partition(" ")
            if word == "control":
                reader.take(int(number))
        raise Disturbed(f"the WebSocket of {reader.name} was closed with {ws.close_code}")
