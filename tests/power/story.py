"""Two lives of a server with its feed in a file, and what strace reports of them.

In the first the feed begins anew half way, and kill -9 ends it; in the second it is stopped as it
should be. Publishers go on at the same time, so that messages share commits.
"""

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from aiohttp import ClientSession

from demo.arguments import SQLITE
from tests.power.calls import TRACED
from tests.power.promises import Text

TOKEN = "power"
PUBLISHERS = 4
STRACE: tuple[str, ...] = ("strace", "-f", "--seccomp-bpf", "-y", "-xx", "--string-limit=1000000")
STRACE += (f"--trace={','.join(TRACED)}",)
START_S = 60.0


async def first_life(feed: Path, report: Path, each: int, history: int) -> set[Text]:
    """Publish, begin anew, publish again, and kill; return what was published."""
    async with _server(feed, report, history, signal.SIGKILL) as room:
        before = await _publish(room, "a", each)
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        async with room.post("/class/restart", headers=bearer) as answer:
            answer.raise_for_status()
        return before | await _publish(room, "b", each)


async def second_life(feed: Path, report: Path, each: int, history: int) -> set[Text]:
    """Publish on where the first has ended, and stop; return what was published."""
    async with _server(feed, report, history, signal.SIGTERM) as room:
        return await _publish(room, "c", each)


async def _publish(room: ClientSession, part: str, each: int) -> set[Text]:
    async with room.ws_connect("/ws?after=0") as socket:
        await socket.receive()  # by its hello the epoch is known
    senders = [f"{part}{number}" for number in range(PUBLISHERS)]
    await asyncio.gather(*(_publish_as(room, sender, each) for sender in senders))
    return {(sender, str(number)) for sender in senders for number in range(each)}


async def _publish_as(room: ClientSession, sender: str, each: int) -> None:
    for number in range(each):
        async with room.post("/messages", json={"sender": sender, "text": str(number)}) as answer:
            answer.raise_for_status()
            await answer.read()


@asynccontextmanager
async def _server(
    feed: Path, report: Path, history: int, end: signal.Signals
) -> AsyncIterator[ClientSession]:
    demo = (sys.executable, "-m", "demo", "--port", "0", "--publish-rate", "0", "--token", TOKEN)
    options = ("--history", str(history), "--feed", f"{SQLITE}{feed}")
    strace = await asyncio.create_subprocess_exec(
        *STRACE, f"--output={report}", *demo, *options, stdout=PIPE, start_new_session=True
    )
    try:
        url = await asyncio.wait_for(_listening(strace), START_S)
        async with ClientSession(url) as room:
            yield room
        (server,) = psutil.Process(strace.pid).children()
        server.send_signal(end)
        await strace.wait()
    finally:
        for process in psutil.Process(strace.pid).children() if strace.returncode is None else ():
            process.kill()
        await strace.wait()


async def _listening(strace: Process) -> str:
    assert strace.stdout is not None
    while line := (await strace.stdout.readline()).decode():
        if line.startswith("Listening on "):
            return line.split()[2]
    raise EOFError("the server ended before it listened")
