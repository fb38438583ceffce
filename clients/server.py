"""The server under measurement: always another process, seen through its own /stats."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import msgspec
import psutil

from clients.errors import ServerError
from clients.place import Place
from demo.message import Problem

STATS = "/stats"
FORBIDDEN = 403  # such as a name that the server does not know
ASK_AGAIN_S = 0.02
CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0  # a server that answers thousands of held polls answers others after that


class ModeStats(msgspec.Struct, frozen=True):
    """The server's counters of one mode."""

    requests: int
    empty: int
    gaps: int
    deliveries: int
    bytes_in: int
    bytes_out: int
    connections: int


class Stats(msgspec.Struct, frozen=True):
    """What /stats says, as far as it is needed here."""

    uptime_s: float
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

    @property
    def is_fresh(self) -> bool:
        """Whether we started it: then nobody has read from it before, and nobody else does."""
        return self.process is not None

    async def stats(self) -> Stats:
        """Ask for the counters; raise ServerError when there is no answer, or a foreign one."""
        try:
            async with self._session.get(self.url + STATS, allow_redirects=False) as response:
                if goal := response.headers.get("Location"):
                    raise ServerError(
                        f"{self.url} sends its readers on, to {goal.removesuffix(STATS)}: give"
                        " --url the address that answers by itself"
                    )
                body = await response.read()
                if response.status == FORBIDDEN:
                    refusal = msgspec.json.decode(body, type=Problem)
                    raise ServerError(f"{self.url} refuses: {refusal.error}")
                return msgspec.json.decode(body, type=Stats)
        except (aiohttp.ClientError, OSError) as error:
            raise ServerError(self._why(error)) from None
        except ValueError:
            raise ServerError(
                f"what answers at {self.url} is not this project's server: give --url the "
                "address that `python -m demo` prints"
            ) from None

    def _why(self, error: Exception) -> str:
        if isinstance(error, TimeoutError) and not isinstance(error, aiohttp.ClientError):
            late = f"the server at {self.url} has not answered for {ANSWER_TIMEOUT_S:.0f} s"
            return f"{late}: try fewer --clients"
        if self.process is not None:
            return f"the server that was started for it answers no more ({error})"
        return (
            f"nothing answers at {self.url} ({error}): start a server with `python -m demo`, or "
            "leave --url out"
        )

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
        """Stop the server's process for a while, as a long garbage collection would.

        Raise ServerError when it has ended.
        """
        assert self.process is not None  # who has none is refused beforehand
        try:
            self.process.suspend()
            try:
                await asyncio.sleep(seconds)
            finally:
                self.process.resume()
        except psutil.NoSuchProcess as error:
            raise ServerError(self._why(error)) from None


@asynccontextmanager
async def server_at(url: str) -> AsyncIterator[Server]:
    """Yield the server that listens at `url`."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Server(url.rstrip("/"), session)
