"""The servers that are compared: a table of commands, and how one is started and stopped."""

import asyncio
import contextlib
import importlib.util
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from demo.options import DEFAULT_LOOP, LOOPS
from tests.bench.machine import pinned
from tests.bench.pollers import post

START_S = 20.0
STOP_S = 5.0
TEXT_BYTES = 64
NODE_MODULES = Path(sys.prefix) / "node" / "node_modules"

RIVALS = Path(__file__).parent / "rivals"


def plain(text: str) -> bytes:
    """Say a text as it is."""
    return text.encode()


def draft(text: str) -> bytes:
    """Say a text as our feed takes it."""
    return json.dumps({"sender": "bench", "text": text}).encode()


@dataclass(frozen=True)
class Server:
    """One server of the comparison.

    It listens at `port`, or prints `Listening on <url>`, and sends what is said at `path` to all
    who are there. None where it has no such thing:
    empty: a path that answers "nothing new"; held: one that waits for news after {cursor}, and
    post: what makes news
    """

    name: str
    command: tuple[str, ...]
    path: str = "/"
    say: Callable[[str], bytes] = plain
    port: int | None = None
    empty: str | None = None
    held: str | None = None
    post: bytes | None = None


def ours() -> list[Server]:
    """The demo: its room, and its feed; the room on the other event loop too."""
    command = (sys.executable, "-m", "demo", "--port", "0", "--publish-rate", "0")
    other = [
        Server(f"room-{loop}", (*command, "--loop", loop)) for loop in LOOPS if loop != DEFAULT_LOOP
    ]
    feed = Server(
        "feed",
        command,
        "/ws",
        draft,
        empty="/short-poll?after=0",
        held="/long-poll?after={cursor}&hold_s=60",
        post=post("/messages", draft("x" * TEXT_BYTES)),
    )
    return [Server("room", command), *other, feed]


def theirs(folder: Path) -> list[Server]:
    """The competitors that can run here; what they need to write they write to `folder`."""
    return [
        Server(
            "aiohttp",
            (sys.executable, str(RIVALS / "aiohttp_room.py")),
            empty="/nothing",
            held="/held?after={cursor}",
            post=post("/publish", draft("x" * TEXT_BYTES)),
        ),
        *_websockets(),
        *_node(),
        *_nchan(folder),
        *_c_loop(folder),
    ]


def _websockets() -> Iterator[Server]:
    if importlib.util.find_spec("websockets"):
        yield Server("websockets", (sys.executable, str(RIVALS / "websockets_room.py")))


def _node() -> Iterator[Server]:
    if shutil.which("node") and (NODE_MODULES / "ws").is_dir():
        yield Server("node", ("node", str(RIVALS / "node.cjs")))
        yield Server("node-tuned", ("node", str(RIVALS / "node_tuned.cjs")))


def _nchan(folder: Path) -> Iterator[Server]:
    nginx = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if nginx is None or not any(Path("/usr").glob("lib*/nginx/modules/ngx_nchan_module.so")):
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = (RIVALS / "nchan.conf").read_text(encoding="utf-8")
    config = folder / "nchan.conf"
    config.write_text(text.replace("FOLDER", str(folder)).replace("PORT", str(port)), "utf-8")
    yield Server(
        "nchan",
        (nginx, "-p", "/usr/share/nginx", "-c", str(config)),
        port=port,
        empty="/short",
        held="/long",
        post=post("/publish", draft("x" * TEXT_BYTES)),
    )


def _c_loop(folder: Path) -> Iterator[Server]:
    compiler = shutil.which("cc")
    if compiler is None:
        return
    library = str(folder / "c_loop.so")
    source = str(RIVALS / "c_loop.c")
    subprocess.run([compiler, "-O2", "-shared", "-fPIC", "-o", library, source], check=True)
    yield Server("c-loop", (sys.executable, str(RIVALS / "c_loop.py"), library))


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
        async with asyncio.timeout(START_S):
            port = await (_port(process) if server.port is None else _listens(server.port))
        yield psutil.Process(process.pid), port
    finally:
        await _stop(process)


async def _listens(port: int) -> int:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return port


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
