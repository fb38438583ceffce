"""The servers that are compared: a table of commands, and how one is started and stopped."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from demo.options import DEFAULT_LOOP, LOOPS

START_S = 20.0
STOP_S = 5.0
NODE_MODULES = Path(sys.prefix) / "node" / "node_modules"

# What the README of ws calls a broadcast, with the defaults of a ws server.
NODE = """\
const { WebSocket, WebSocketServer } = require('ws')
const wss = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false }, () =>
  console.log(`Listening on http://127.0.0.1:${wss.address().port}`))
wss.on('connection', socket => {
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => { BROADCAST })
})
"""

USUAL = """
    wss.clients.forEach(c => c.readyState === WebSocket.OPEN && c.send(data, { binary: isBinary }))
"""

# The same through private parts of ws: one frame for all, one buffer a write.
TUNED = """
    const options = { fin: true, rsv1: false, opcode: 1, mask: false, readOnly: true }
    const frame = Buffer.concat(WebSocket.Sender.frame(data, options))
    wss.clients.forEach(c => c.readyState === WebSocket.OPEN && c._socket.write(frame))
"""

AIOHTTP = """\
from aiohttp import web

async def room(request):
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    everyone.add(ws)
    async for frame in ws:
        for one in list(everyone):
            await one.send_str(frame.data)
    everyone.discard(ws)
    return ws

everyone = set()
app = web.Application()
app.router.add_get("/", room)
async def say(runner):
    print("Listening on http://127.0.0.1:%d" % runner.addresses[0][1], flush=True)

async def main():
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    await say(runner)
    await asyncio.Event().wait()

import asyncio
asyncio.run(main())
"""


def plain(text: str) -> bytes:
    """Say a text as it is."""
    return text.encode()


def draft(text: str) -> bytes:
    """Say a text as our feed takes it."""
    return json.dumps({"sender": "bench", "text": text}).encode()


@dataclass(frozen=True)
class Server:
    """One server of the comparison.

    It prints `Listening on <url>`, and sends what is said at `path` to all who are there.
    """

    name: str
    command: tuple[str, ...]
    path: str = "/"
    say: Callable[[str], bytes] = plain


def ours() -> list[Server]:
    """The demo, room and feed, as it starts and on each event loop."""
    command = (sys.executable, "-m", "demo", "--port", "0", "--publish-rate", "0")
    named = [
        Server(f"room-{loop}", (*command, "--loop", loop)) for loop in LOOPS if loop != DEFAULT_LOOP
    ]
    return [Server("room", command), *named, Server("ws", command, "/ws", draft)]


def theirs(folder: Path) -> list[Server]:
    """The competitors that can run here, their programs written to `folder`."""
    found = [Server("aiohttp", (sys.executable, _written(folder / "aiohttp_room.py", AIOHTTP)))]
    if shutil.which("node") and (NODE_MODULES / "ws").is_dir():
        for name, broadcast in (("node", USUAL), ("node-tuned", TUNED)):
            program = _written(folder / f"{name}.cjs", NODE.replace("BROADCAST", broadcast))
            found.append(Server(name, ("node", program)))
    return found


@asynccontextmanager
async def started(server: Server, core: int | None) -> AsyncIterator[tuple[psutil.Process, int]]:
    """Run a server on one core; yield its process and port, and leave nothing of it."""
    with pinned(core):  # inherited by the server and all its threads
        process = await asyncio.create_subprocess_exec(
            *server.command,
            stdout=asyncio.subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
        )
    try:
        yield psutil.Process(process.pid), await asyncio.wait_for(_port(process), START_S)
    finally:
        await _stop(process)


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Run on `core` alone while the block lasts; None stays where it is."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def _port(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    async for line in process.stdout:
        if found := re.search(rb"Listening on http://127\.0\.0\.1:(\d+)", line):
            return int(found[1])
    raise RuntimeError(f"the server ended with code {await process.wait()} before it listened")


async def _stop(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _written(path: Path, program: str) -> str:
    path.write_text(program, encoding="utf-8")
    return str(path)
