"""What tests share: event loops, servers inside and outside this process, clients, a browser.

Tests that ask for `clock` run on a loop whose time they move; tests marked `both_loops` run on
asyncio's and on uvloop's; all others on asyncio's.
"""

import asyncio
import contextlib
import itertools
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from types import FrameType
from typing import IO, Any, NoReturn, Protocol
from unittest.mock import Mock

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser, Page, async_playwright, expect

from demo import __main__ as command
from demo.answers import ANSWERS
from demo.app import Settings, make_app
from demo.feed import Entry, Feed
from demo.message import Draft
from demo.options import LOOPS, parse
from demo.serving import serving
from demo.sharing import Durable, Shared
from demo.stop import Stop
from demo.tally import Tally
from demo.workers import LISTENING
from tests.redis_servers import RedisServer, redis_server

PATIENCE_S = 60  # for one test; a test that needs it is broken or the machine is
PROMPT_TURNS, TURN_S = 500, 0.001  # of a loop that waits for something to be so, and thereafter
NOTHING_HAPPENS_S = 20  # on the clock's loop, where no timer ends a wait

# Each process that loads aiohttp reads the system's certificates, twice: a fifth of what a server
# takes to start. None of the hundreds that are started here says a word over TLS.
os.environ["SSL_CERT_FILE"] = os.devnull

# How fast a machine is, is not for a property to say.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
LONG = 2000  # stories of the long profile, and seconds that a test may then take
settings.register_profile("long", settings.get_profile("untimed"), max_examples=LONG)
settings.load_profile("untimed")

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# Loops


class StillSelector(selectors.DefaultSelector):
    """Wait for sockets, never for time."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        due = timeout is not None and timeout <= 0
        events = super().select(0 if due else NOTHING_HAPPENS_S)
        if not events and not due:
            raise TimeoutError("nothing happens on this loop: its clock must be advanced")
        return events


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time stands still until it is advanced."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        super().__init__(StillSelector())

    def time(self) -> float:
        return self.now_s

    async def advance(self, seconds: float) -> None:
        """Let `seconds` pass: every timer due by then runs, in order, at its own time."""
        end = self.now_s + seconds
        await self.settle()
        while (when := self._next_timer()) is not None and when <= end:
            self.now_s = max(self.now_s, when)
            await self.settle()
        self.now_s = end
        await self.settle()

    async def next(self) -> None:
        """Let time pass until the next timer is due, and let that run."""
        await self.settle()
        when = self._next_timer()
        assert when is not None, "nothing is to come"
        self.now_s = max(self.now_s, when)
        await self.settle()

    async def settle(self) -> None:
        """Let everything run that needs no time: callbacks, tasks, bytes on loopback."""
        for _ in range(30):
            await asyncio.sleep(0)

    def _next_timer(self) -> float | None:
        timers: list[asyncio.TimerHandle] = self._scheduled  # type: ignore[attr-defined]
        return min((timer.when() for timer in timers if not timer.cancelled()), default=None)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "both_loops: runs on asyncio's event loop and on uvloop's")


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Function
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if "clock" in item.fixturenames:
        return {"clock": Clock}
    if item.get_closest_marker("both_loops"):
        return LOOPS
    return {"asyncio": LOOPS["asyncio"]}


@pytest.fixture
async def clock() -> Clock:
    """The running loop, whose time this test moves."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Clock)
    return loop


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """End a test that hangs, so that its name is seen."""

    patience_s = LONG if settings().max_examples == LONG else PATIENCE_S

    def lose(number: int, frame: FrameType | None) -> NoReturn:
        pytest.fail(f"the test was not done after {patience_s} s")

    before = signal.signal(signal.SIGALRM, lose)
    # And again: the first may end no more than a task that nobody awaits.
    signal.setitimer(signal.ITIMER_REAL, patience_s, 10)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


# A server in this process, on this test's loop


@dataclass(frozen=True)
class Server:
    """A running server: its address, its app, and the lines it printed."""

    url: str
    app: web.Application
    said: list[str] = field(default_factory=list)
    running: AsyncExitStack = field(default_factory=AsyncExitStack)

    @property
    def feed(self) -> Feed:
        return self.app[ANSWERS].feed

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def publish(self, *texts: str, sender: str = "ada") -> list[Entry]:
        """Publish within the process, without a request."""
        return [self.feed.publish(Draft(sender, text)) for text in texts]

    async def stop(self) -> None:
        """Stop before the test ends, as `python -m demo` does on a signal."""
        await self.running.aclose()


class StartServer(Protocol):
    def __call__(
        self,
        settings: Settings = ...,
        *,
        feed: Feed | None = None,
        shared: Shared | None = None,
        durable: Durable | None = None,
        port: int = 0,
    ) -> Awaitable[Server]: ...


@pytest.fixture
async def start_server() -> AsyncIterator[StartServer]:
    """Start servers as `python -m demo` does, bytes counted; all stop when the test ends."""
    async with AsyncExitStack() as stack:

        async def start(
            settings: Settings = Settings(),
            *,
            feed: Feed | None = None,
            shared: Shared | None = None,
            durable: Durable | None = None,
            port: int = 0,
        ) -> Server:
            said: list[str] = []
            app = make_app(settings, feed, said.append, shared, durable)
            running = await stack.enter_async_context(AsyncExitStack())
            (url,) = await running.enter_async_context(serving(app, "127.0.0.1", port))
            return Server(url, app, said, running)

        yield start


@pytest.fixture
async def server(start_server: StartServer) -> Server:
    """A running server with the settings that `python -m demo` has."""
    return await start_server()


@pytest.fixture
def app(server: Server) -> web.Application:
    """The app that `server` serves."""
    return server.app


async def until_page(page: Page, expression: str, arg: object = None) -> None:
    """Wait until an expression is true in a page.

    Playwright's own `wait_for_function` evaluates text there, which the page's policy forbids.
    """
    while not await page.evaluate(expression, arg):  # noqa: ASYNC110
        await asyncio.sleep(0.02)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop run until something is so, which on a working server is soon."""
    loop, turns = asyncio.get_running_loop(), itertools.count()
    give_up = time.monotonic() + NOTHING_HAPPENS_S
    while not condition():
        assert time.monotonic() < give_up, "what was waited for did not happen"
        # Whoever takes so many turns is another process, which needs the core that they would take.
        rests = next(turns) > PROMPT_TURNS and not isinstance(loop, Clock)
        await asyncio.sleep(TURN_S if rests else 0)


async def until_delivered(tally: Tally, count: int) -> None:
    """Wait until the server has written so many messages."""
    await until(lambda: tally.deliveries == count)


# Clients


class Session(Protocol):
    def __call__(self, server: Server) -> aiohttp.ClientSession: ...


@pytest.fixture
async def session() -> AsyncIterator[Session]:
    """Open client sessions on a server's address; a session keeps its connections to itself."""
    async with AsyncExitStack() as stack:
        opened: list[aiohttp.ClientSession] = []

        def open_session(server: Server) -> aiohttp.ClientSession:
            opened.append(aiohttp.ClientSession(server.url))
            return opened[-1]

        yield open_session
        for each in opened:
            stack.push_async_callback(each.close)


@pytest.fixture
async def client(server: Server, session: Session) -> aiohttp.ClientSession:
    """A client session on `server`: `client.get("/short-poll")`."""
    return session(server)


class Wire:
    """A bare TCP connection: what is sent and got byte for byte, read only when asked."""

    def __init__(self, sock: socket.socket) -> None:
        self.sent = b""
        self.got = b""
        self._socket = sock
        self._unread = b""

    async def send(self, data: bytes) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, data)
        self.sent += data

    async def request(self, path: str, *headers: str, method: str = "GET", body: str = "") -> bytes:
        """Send a request and read its answer's head and body; return both."""
        length = [f"Content-Length: {len(body.encode())}"] if method == "POST" else []
        head = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *length, *headers]
        await self.send("\r\n".join([*head, "", body]).encode())
        return await self.response()

    async def response(self) -> bytes:
        """Read one HTTP answer, body included."""
        answer = await self._until(b"\r\n\r\n")
        for line in answer.decode().lower().splitlines():
            if line.startswith("content-length: "):
                answer += await self.read(int(line.split()[1]))
        return answer

    async def upgrade(self, path: str, *headers: str) -> bytes:
        """Ask for a WebSocket; return the answer's head."""
        handshake = (
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
        )
        return await self.request(path, *handshake, *headers)

    async def frame(self) -> tuple[int, bytes]:
        """Read one frame; return its opcode and its payload."""
        first, size = await self.read(2)
        if size >= 126:
            size = int.from_bytes(await self.read(2 if size == 126 else 8))
        return first & 0x0F, await self.read(size)

    async def read(self, size: int) -> bytes:
        """Read exactly `size` bytes."""
        while len(self._unread) < size:
            await self._receive()
        data, self._unread = self._unread[:size], self._unread[size:]
        return data

    async def end(self) -> None:
        """Read until the server closes the connection."""
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                await self._receive()

    def close(self) -> None:
        self._socket.close()

    async def _until(self, mark: bytes) -> bytes:
        while mark not in self._unread:
            await self._receive()
        return await self.read(self._unread.index(mark) + len(mark))

    async def _receive(self) -> None:
        data = await asyncio.get_running_loop().sock_recv(self._socket, 1 << 20)
        if not data:
            raise EOFError("the server has closed the connection")
        self.got += data
        self._unread += data


class OpenWire(Protocol):
    def __call__(self, server: Server, *, receive_buffer: int | None = ...) -> Awaitable[Wire]: ...


@pytest.fixture
async def open_wire() -> AsyncIterator[OpenWire]:
    """Open bare connections to a server; a small `receive_buffer` makes a slow reader."""
    wires: list[Wire] = []

    async def connect(server: Server, *, receive_buffer: int | None = None) -> Wire:
        sock = socket.socket()
        sock.setblocking(False)
        if receive_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        wires.append(Wire(sock))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", server.port))
        return wires[-1]

    yield connect
    for wire in wires:
        wire.close()


@pytest.fixture
async def wire(server: Server, open_wire: OpenWire) -> Wire:
    """A bare connection to `server`."""
    return await open_wire(server)


# `python -m demo` without a process of its own, for what its options do


@dataclass(frozen=True)
class Served:
    """What is served here as `python -m demo` would serve it, and what it said."""

    said: list[str]
    stop: Stop
    ending: asyncio.Task[int]

    @property
    def urls(self) -> list[str]:
        return listened_at(self.said[-1])

    async def end(self) -> int:
        """Ask it to stop, as the first signal does; return its exit code."""
        self.stop.ask()
        return await self.ending


class Serve(Protocol):
    def __call__(self, *arguments: str) -> Awaitable[Served]: ...


@pytest.fixture
def detached(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave signals and the garbage collection to the tests, where a server runs in their process.

    What those do to a server is tested with a process of its own.
    """
    monkeypatch.setattr(command, "on_signals", lambda _: None)
    monkeypatch.setattr(command, "ignore_signals", lambda: None)
    monkeypatch.setattr(command, "gc", Mock())


@pytest.fixture
async def serve(detached: None) -> AsyncIterator[Serve]:
    """Serve on a free port as arguments say, and wait until it listens; all stop at the end."""
    running: list[Served] = []

    async def start(*arguments: str) -> Served:
        said: list[str] = []
        stop = Stop()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(command, "Stop", lambda: stop)
            options = parse(["--port", "0", *arguments])
            ending = asyncio.create_task(command.serve(options, said.append))
            running.append(Served(said, stop, ending))
            await until(lambda: any(map(listened_at, said)) or ending.done())
        return running[-1]

    yield start
    for each in running:
        await each.end()


Refusal = Callable[..., str]


@pytest.fixture
def refusal(
    detached: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Refusal:
    """Run `python -m demo` here with arguments with which it cannot begin; return its one line."""
    monkeypatch.setattr(command, "allow_files", lambda: None)

    def start(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["demo", *arguments])
        try:
            code = command.main()
        except SystemExit as end:
            code = int(end.code or 0)
        return only_line(code, *capsys.readouterr())

    return start


# A server in a process of its own


def listened_at(line: str) -> list[str]:
    """Return the addresses of the line that says where a server listens; none of any other."""
    return line.removeprefix(LISTENING).split()[::2] if line.startswith(LISTENING) else []


@dataclass
class Demo:
    """`python -m demo` in a process of its own."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.urls[0]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def wait_until_it_listens(self) -> None:
        """Read its lines up to the one that says where it listens."""
        assert self.process.stdout is not None
        with _killed_after(30, self.process):
            for line in self.process.stdout:
                self.said.append(line.rstrip("\n"))
                self.urls = listened_at(line)
                if self.urls:
                    return
        pytest.fail(f"the demo did not start: {self.said} {self.wait()}")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Send a signal; return the exit code and what was printed since."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, timeout_s: float = 30) -> tuple[int, str, str]:
        """Wait for the end; return the exit code and what was printed since."""
        out, err = self.process.communicate(timeout=timeout_s)
        return self.process.returncode, out, err


def one_line(demo: Demo) -> str:
    """Return the one line in which a start that failed said why."""
    return only_line(*demo.wait())


def only_line(code: int, out: str, err: str) -> str:
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert line.startswith("python -m demo: ")
    return line


class StartDemo(Protocol):
    def __call__(self, *arguments: str, port: int = 0) -> Demo: ...


@pytest.fixture
def run_demo() -> Iterator[Callable[..., Demo]]:
    """Run `python -m demo` with arguments, without waiting; none outlives the test."""
    running: list[Demo] = []

    def run(*arguments: str) -> Demo:
        process = subprocess.Popen(
            [sys.executable, "-m", "demo", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(Demo(process))
        return running[-1]

    yield run
    for demo in running:
        if demo.process.poll() is None:
            demo.process.kill()
        demo.process.communicate()


@pytest.fixture
def start_demo(run_demo: Callable[..., Demo]) -> StartDemo:
    """Start `python -m demo` on a free port, or on `port`, and wait until it listens."""

    def start(*arguments: str, port: int = 0) -> Demo:
        demo = run_demo("--port", str(port), *arguments)
        demo.wait_until_it_listens()
        return demo

    return start


@pytest.fixture
def demo(start_demo: StartDemo) -> Demo:
    """A running `python -m demo` on a free port."""
    return start_demo()


class _killed_after:  # noqa: N801  reads as a phrase
    def __init__(self, seconds: float, process: subprocess.Popen[str]) -> None:
        self._timer = threading.Timer(seconds, process.kill)

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *raised: object) -> None:
        self._timer.cancel()
        self._timer.join()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A running redis-server with nothing in it."""
    if shutil.which("redis-server") is None:
        missing("redis-server")
    with redis_server(tmp_path / "redis") as server:
        yield server


# Pictures


@contextlib.contextmanager
def sketching() -> Iterator[None]:
    """Have charts made and laid out, and their titles saved: to draw them takes most of the time.

    For what is told beside charts; test_analysis_main.py and test_compare.py draw them.
    """

    def sketch(figure: Any, file: Path | IO[bytes], **_: object) -> None:
        title = escape(figure.texts[0].get_text())
        picture = f'<svg xmlns="http://www.w3.org/2000/svg"><title>{title}</title></svg>'.encode()
        if isinstance(file, Path):
            figure.draw_without_rendering()  # once: it is saved in two ways
            file.write_bytes(picture)
        else:
            file.write(picture)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.figure.Figure.savefig", sketch)
        yield


@pytest.fixture
def sketched() -> Iterator[None]:
    with sketching():
        yield


# A browser


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """A Chromium without a window, one for all tests of `asyncio(loop_scope="session")`."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("Chromium")
    expect.set_options(timeout=PATIENCE_S / 2 * 1000)
    home = str(tmp_path_factory.mktemp("home"))  # it leaves something in whatever home it has
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(
            executable_path=path, args=CHROMIUM_ARGUMENTS, env={**os.environ, "HOME": home}
        )
        yield chromium
        await chromium.close()


def missing(what: str) -> NoReturn:
    """Skip a test for want of a program, or fail it where all programs are to be there."""
    if os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"{what} is missing, and REQUIRE_ALL=1")
    pytest.skip(f"{what} is not installed")
