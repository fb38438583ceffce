"""The server that is fuzzed: `python -m demo` in a process of its own, whose every line is kept."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

START_S = 30.0
OPTIONS: tuple[str, ...] = ("--port", "0", "--publish-rate", "0", "--history", "300")
OPTIONS += ("--token", "fuzz", "--request-timeout-s", "2")  # for the rest of half a body
COMMAND = (sys.executable, "-m", "demo", *OPTIONS)
REFUSED = ("refused a page of ", "refused a request for ")
EXPECTED = (*REFUSED, "Teacher: ", "Students: ", "Listening on ", "Bound to ")


@dataclass
class Server:
    """A running server, and the lines that it should never have printed."""

    process: asyncio.subprocess.Process
    port: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def listen(self, listening: asyncio.Event) -> None:
        """Take note of every line it prints."""
        assert self.process.stdout is not None
        async for raw in self.process.stdout:
            line = raw.decode(errors="backslashreplace").rstrip()
            if line.startswith("Listening on "):
                self.port = int(line.split()[2].rpartition(":")[2])
                listening.set()
            if not line.startswith(EXPECTED):
                self.wrong.append(line)


@asynccontextmanager
async def started(more: Sequence[str] = ()) -> AsyncIterator[Server]:
    """Run a server for as long as the block lasts; its end must be as clean as its life."""
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *more, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    server, listening = Server(process), asyncio.Event()
    hearing = asyncio.create_task(server.listen(listening))
    try:
        await asyncio.wait_for(listening.wait(), START_S)
        yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        code = await process.wait()
        await hearing
        if code != 0:
            server.wrong.append(f"the server ended with {code}")
