"""A Redis of the tests' own, and a relay before it that is cut, held or made to lose answers."""

import asyncio
import shutil
import signal
import socket
import struct
import subprocess
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

HARD = struct.pack("ii", 1, 0)  # linger for no time: what is closed so is reset
STARTS = 5  # a free port may be taken before Redis is there


class RedisServer:
    """A real redis-server on a free port, whose data lie in `folder`; each write is synced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start on the port of before, and wait until it takes connections."""
        for _ in range(1 if self.port else STARTS):
            port = self.port or free_port()
            if self._started(port):
                self.port = port
                return
        raise OSError("redis-server does not start")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, if it runs, and wait until it has gone."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.communicate(timeout=30)
            self._process = None

    def empty(self, old: Path | None = None) -> None:
        """Lose all data, or get those of a copy back; it must not run."""
        shutil.rmtree(self.folder)
        if old is None:
            self.folder.mkdir()
        else:
            shutil.copytree(old, self.folder)

    def command(self, *words: str) -> str:
        """Do what `redis-cli` would; return the answer's first line without its type."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall((" ".join(words) + "\r\n").encode())
            answer = sock.makefile().readline().rstrip()
        assert answer[0] != "-", answer
        return answer[1:]

    def is_copied(self) -> None:
        """Wait until a copy has all that was written before."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as sock:
            sock.sendall(b"SET written 1\r\nWAIT 1 0\r\n")  # which speaks of this connection alone
            answers = sock.makefile()
            assert [answers.readline(), answers.readline()] == ["+OK\n", ":1\n"]

    def _started(self, port: int) -> bool:
        options = {
            "port": str(port),
            "bind": "127.0.0.1",
            "dir": str(self.folder),
            "save": "",
            "appendonly": "yes",
            "appendfsync": "always",
            "repl-diskless-sync-delay": "0",  # who copies it need not wait for others who may
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        self._process = subprocess.Popen(
            ["redis-server", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "Ready to accept connections" in line:
                return True
        self.stop()
        return False


@contextmanager
def redis_server(folder: Path) -> Iterator[RedisServer]:
    """Run a Redis for as long as the block lasts."""
    folder.mkdir()
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop(signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


class Relay:
    """Stand between servers and Redis."""

    def __init__(self, redis: RedisServer) -> None:
        self.port = 0
        self.asked = 0  # how often something came from a server
        self.loses_answer_to: bytes | None = None  # what asks so is dropped instead, once
        self.passes = asyncio.Event()  # unset: whatever comes is held
        self.passes.set()
        self.redis = redis  # where new connections lead
        self._open = True
        self._writers: set[StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def cut(self) -> None:
        """Drop all connections, and take no more."""
        self._open = False
        for writer in tuple(self._writers):
            writer.close()

    def reset(self) -> None:
        """Break all connections so that it is an error at their ends; new ones are taken."""
        for writer in tuple(self._writers):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, HARD)
            writer.transport.abort()

    def mend(self) -> None:
        """Take connections again."""
        self._open = True

    async def serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if not self._open:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.redis.port)
        self._writers |= {writer, back}
        doomed = asyncio.Event()
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._ask(reader, back, doomed))
                both.create_task(self._answer(there, writer, doomed))
        except* OSError:
            pass
        finally:
            writer.close()
            back.close()
            self._writers -= {writer, back}

    async def _ask(self, reader: StreamReader, writer: StreamWriter, doomed: asyncio.Event) -> None:
        while data := await reader.read(1 << 16):
            self.asked += 1
            if self.loses_answer_to is not None and self.loses_answer_to in data:
                self.loses_answer_to = None
                doomed.set()
            await self.passes.wait()
            writer.write(data)
        raise ConnectionResetError

    async def _answer(
        self, reader: StreamReader, writer: StreamWriter, doomed: asyncio.Event
    ) -> None:
        while (data := await reader.read(1 << 16)) and not doomed.is_set():
            await self.passes.wait()
            writer.write(data)
        raise ConnectionResetError


@asynccontextmanager
async def relay_to(redis: RedisServer) -> AsyncIterator[Relay]:
    """Run a relay for as long as the block lasts."""
    relay = Relay(redis)
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    relay.port = server.sockets[0].getsockname()[1]
    try:
        yield relay
    finally:
        server.close()
        relay.cut()
        await server.wait_closed()
