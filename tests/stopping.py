"""Stop a server with a crowd at it, and say how long that took and how each reader was let go.

    python -m tests.stopping --sockets 10000 --held 9900 --idle 0
    python -m tests.stopping --sockets 1000 --held 0 --publishers 4 --feed sqlite:////tmp/feed.db

Publishers go on until the end, and what was acknowledged is looked for in the file; held polls
would be answered by the news. Readers are bare connections, in a process of their own.
"""

import argparse
import asyncio
import contextlib
import json
import resource
import signal
import sqlite3
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections import Counter
from typing import cast

import psutil
from aiohttp import ClientError, ClientSession

from clients.dialling import LOOPBACK, connect, source
from clients.files import allow_all_files
from clients.frames import CLOSE, PONG, masked
from demo.arguments import SQLITE
from demo.options import LOOPS
from tests.bench.crowd import AT_ONCE
from tests.bench.frames import upgrade
from tests.bench.pollers import get

GOODBYE = (1001).to_bytes(2)
ASKS = {
    "sockets": upgrade("/ws"),
    "held": get("/long-poll?hold_s=120"),
    "idle": get("/short-poll"),
}
ENDS_S = 60.0
ADDRESSES = 4
MOST_HEARD = 1024
STORED = "SELECT id, sender, text FROM messages"


class Reader(asyncio.Protocol):
    """Ask, and note how it ends: `told` 1001, `answered` 204, `closed`, or with an error's name."""

    def __init__(self, kind: str, ends: Counter[str], gone: asyncio.Semaphore) -> None:
        self.there = kind == "held"  # of which nothing is heard
        self._kind = kind
        self._ends = ends
        self._gone = gone
        self._heard = b""
        self._end = ""

    async def connect(self, port: int, address: str | None) -> None:
        await connect(lambda: self, LOOPBACK, port, address)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(ASKS[self._kind])

    def data_received(self, data: bytes) -> None:
        self._heard = self._heard[-MOST_HEARD:] + data
        if self._kind == "held" and self._heard.startswith(b"HTTP/1.1 204 "):
            self._end = "answered"
        if not self.there:
            self.there = b"\r\n\r\n" in self._heard
        elif self._kind == "sockets" and b"\x88\x12" + GOODBYE in self._heard and not self._end:
            self._end = "told"
            self._transport.write(masked(CLOSE, GOODBYE))
        elif self._kind == "sockets" and data.endswith(b"\x89\0"):
            self._transport.write(masked(PONG, b""))

    def connection_lost(self, exc: Exception | None) -> None:
        end = self._end or ("closed" if exc is None else type(exc).__name__)
        self._ends[f"{self._kind} {end}"] += 1
        self._gone.release()


async def read(port: int, counts: dict[str, int]) -> None:
    """Be the crowd: connect, say so, and count how each connection ends."""
    ends, gone = Counter[str](), asyncio.Semaphore(0)
    readers = [Reader(kind, ends, gone) for kind, count in counts.items() for _ in range(count)]
    for first in range(0, len(readers), AT_ONCE):
        some = readers[first : first + AT_ONCE]
        where = source(first // AT_ONCE, ADDRESSES)  # or the system looks for free ports for long
        await asyncio.gather(*(reader.connect(port, where) for reader in some))
    while not all(reader.there for reader in readers):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    print("ready", flush=True)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ENDS_S):
            for _ in readers:
                await gone.acquire()
    print(json.dumps(ends), flush=True)
    await asyncio.sleep(ENDS_S)  # until killed: its CPU time is not to pass for the server's


async def publish(url: str, sender: str) -> set[tuple[int, str, str]]:
    """Publish until the server ends; return what was acknowledged."""
    acknowledged = set()
    async with ClientSession(url) as session:
        with contextlib.suppress(ClientError, OSError):
            for number in range(10**9):
                draft = {"sender": sender, "text": str(number), "key": str(number)}
                async with session.post("/messages", json=draft) as answer:
                    message = await answer.json()
                    if answer.status == 201:
                        acknowledged.add((message["id"], sender, str(number)))
    return acknowledged


async def stop(
    counts: dict[str, int], publishers: int, feed: str, rest_s: float
) -> dict[str, object]:
    """Start a server and a crowd, end the server, and return what came of it."""
    options = ("--port", "0", "--publish-rate", "0", "--history", "1000000", "--feed", feed)
    server = await _start("demo", *options)
    port = int((await _line(server, "Listening on ")).split()[2].rpartition(":")[2])
    crowd = await _start("tests.stopping", "--read", str(port), "--counts", json.dumps(counts))
    try:
        await _line(crowd, "ready")
        url = f"http://127.0.0.1:{port}"
        publishing = [asyncio.create_task(publish(url, f"p{n}")) for n in range(publishers)]
        await _until_held(url, counts["held"])
        await asyncio.sleep(rest_s)
        began, cpu_s = time.perf_counter(), -_cpu_s(server)
        server.send_signal(signal.SIGTERM)
        code = await server.wait()
        took_s = time.perf_counter() - began
        cpu_s += sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        ends = json.loads(await _line(crowd, "{"))
        acknowledged = set[tuple[int, str, str]]().union(*await asyncio.gather(*publishing))
    finally:
        for process in (server, crowd):
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    found = {
        "code": code,
        "seconds": round(took_s, 2),
        "cpu_s": round(cpu_s, 2),
        **ends,
        "acknowledged": len(acknowledged),
    }
    if feed.startswith(SQLITE):
        with contextlib.closing(sqlite3.connect(feed.removeprefix(SQLITE))) as db:
            found["lost"] = len(acknowledged - set(db.execute(STORED)))
    return found


def _cpu_s(process: Process) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


async def _start(module: str, *options: str) -> Process:
    command = (sys.executable, "-m", module, *options)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE)


async def _line(process: Process, start: str) -> str:
    assert process.stdout is not None
    while line := (await process.stdout.readline()).decode():
        if line.startswith(start):
            return line
    raise EOFError(f"it ended without a line that begins with {start!r}")


async def _until_held(url: str, held: int) -> None:
    async with ClientSession(url) as session:
        while True:
            async with session.get("/stats") as answer:
                if (await answer.json())["modes"]["long"]["requests"] >= held:
                    return


def main() -> None:
    """Read the arguments, and run the trial or its crowd."""
    parser = argparse.ArgumentParser(prog="python -m tests.stopping", description=__doc__)
    for kind in ASKS:
        parser.add_argument(f"--{kind}", type=int, default=100)
    parser.add_argument("--publishers", type=int, default=0)
    parser.add_argument("--feed", default="memory")
    parser.add_argument("--rest-s", type=float, default=2.0)
    parser.add_argument("--read", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--counts", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args()
    allow_all_files()
    if options.read is not None:
        loop = list(LOOPS.values())[-1]
        with asyncio.Runner(loop_factory=loop) as runner:
            runner.run(read(options.read, options.counts))
        return
    counts = {kind: getattr(options, kind) for kind in ASKS}
    print(asyncio.run(stop(counts, options.publishers, options.feed, options.rest_s)))


if __name__ == "__main__":
    main()
