"""Phones as a class has them: readers of each mode that report what they saw every two seconds."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

REPORT_S = 2.0
MODES = ("short", "long", "ws")


@dataclass
class Phone:
    """A reader of the page, with the clock of the server (it runs on the same machine)."""

    session: aiohttp.ClientSession
    reader: str
    mode: str
    interval_s: float = 1.0
    requests: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    deliveries: list[tuple[int, int, int, int]] = field(default_factory=list)
    seen: list[int] = field(default_factory=list)
    reported: asyncio.Event = field(default_factory=asyncio.Event)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    refused: int = 0

    async def live(self) -> None:
        """Read and report until cancelled."""
        read = self._listen if self.mode == "ws" else self._poll
        async with asyncio.TaskGroup() as both:
            both.create_task(read())
            both.create_task(self._report_for_ever())

    async def report(self) -> None:
        """Report what was not reported yet."""
        rows = {"requests": self.requests, "deliveries": self.deliveries}
        self.requests, self.deliveries = [], []
        body = {"reader": self.reader, "mode": self.mode, "clock_error_ms": 0.5, **rows}
        async with self.session.post("/class/reports", json=body) as response:
            self.refused += response.status != 200
            await response.read()
        self.reported.set()

    async def has_seen(self, message: int) -> None:
        """Wait until a message has come."""
        while not self.seen or self.seen[-1] < message:
            self.news.clear()
            await self.news.wait()

    async def _report_for_ever(self) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            await self.report()

    async def _poll(self) -> None:
        cursor: int | None = None
        path = {"short": "/short-poll", "long": "/long-poll"}[self.mode]
        while True:
            query = {"reader": self.reader} | ({} if cursor is None else {"after": cursor})
            started_ns = time.perf_counter_ns()
            async with self.session.get(path, params=query) as response:
                news = await response.json() if response.status == 200 else {"messages": []}
            ended_ns = time.perf_counter_ns()
            count = len(news["messages"])
            self.requests.append((started_ns, ended_ns, response.status, count, 1))
            for message in news["messages"]:
                self._take(message)
            cursor = news.get("cursor", cursor)
            if cursor is None:
                cursor = 0 if not self.seen else self.seen[-1]
            if self.mode == "short":
                await asyncio.sleep(self.interval_s)

    async def _listen(self) -> None:
        async with self.session.ws_connect(f"/ws?reader={self.reader}") as ws:
            async for frame in ws:
                message = frame.json()
                if "id" in message:
                    self._take(message)

    def _take(self, message: dict[str, int]) -> None:
        self.seen.append(message["id"])
        self.news.set()
        stamps = message["published_ns"], message["sent_ns"], time.perf_counter_ns()
        self.deliveries.append((message["id"], *stamps))


@contextlib.asynccontextmanager
async def phones(url: str, count: int) -> AsyncIterator[list[Phone]]:
    """Let so many phones read, modes in turn, until the block ends; yield them."""
    async with contextlib.AsyncExitStack() as stack:
        sessions = [aiohttp.ClientSession(url) for _ in range(count)]  # each its own connections
        for session in sessions:
            await stack.enter_async_context(session)
        crowd = [Phone(s, f"phone-{n}", MODES[n % 3]) for n, s in enumerate(sessions)]
        living = [asyncio.create_task(_late(phone, n / count)) for n, phone in enumerate(crowd)]
        yield crowd
        for task in living:
            task.cancel()
        await asyncio.gather(*living, return_exceptions=True)


async def _late(phone: Phone, seconds: float) -> None:
    await asyncio.sleep(2 * seconds)
    await phone.live()
