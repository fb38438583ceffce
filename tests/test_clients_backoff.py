"""A client that failed comes back later and later, at random, and not before it is wanted."""

import asyncio
import itertools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

import pytest
from aiohttp import web

from clients import client as module
from clients.backoff import FIRST_S, LONGEST_ASKED_S, LONGEST_S, Backoff, asked_s
from clients.client import Client
from clients.errors import ServerError
from clients.frames import HEAD_END
from clients.modes import MODES
from clients.pace import Pace
from clients.place import Place
from clients.recorder import Recorder
from clients.server import server_at
from demo.message import Message, encode
from tests.conftest import Clock

PACE = Pace(interval_s=0.0, phase_s=0.0, hold_s=1.0)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Highest(random.Random):
    """Draws the end of every range."""

    def uniform(self, a: float, b: float) -> float:
        return b


def test_pauses_double_up_to_a_longest() -> None:
    backoff = Backoff(Highest())
    pauses_s = [backoff.next_s() for _ in range(8)]
    assert pauses_s == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, LONGEST_S, LONGEST_S]
    backoff.reset()
    assert backoff.next_s() == FIRST_S


def test_every_pause_is_drawn_from_all_of_its_range() -> None:
    chance = random.Random(1)
    first = [Backoff(chance).next_s() for _ in range(1000)]
    assert 0 <= min(first) < 0.01 * FIRST_S
    assert 0.99 * FIRST_S < max(first) <= FIRST_S
    assert sum(first) / 1000 == pytest.approx(FIRST_S / 2, rel=0.1)


def test_a_pause_begins_where_the_server_wants_it() -> None:
    backoff = Backoff(Highest())
    assert [backoff.next_s(2.0), backoff.next_s()] == [2.0 + FIRST_S, 2 * FIRST_S]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [(None, 0), ("", 0), ("0", 0), ("1", 1), (" 30 ", 30), ("86400", LONGEST_ASKED_S), ("-1", 0),
     ("1.5", 0), ("\u0663", 0), ("9" * 400, 0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0)],
)  # fmt: skip
def test_retry_after_is_read_in_seconds(header: str | None, seconds: float) -> None:
    assert asked_s(header) == seconds


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """Serve every path by one handler."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[attr-defined]
    finally:
        await runner.cleanup()


def reading(mode: str, url: str, recorder: Recorder) -> tuple[Client, "asyncio.Task[Message]"]:
    """Let a client read its first message."""
    client = Client(1, url, recorder, Place("epoch", 0), Highest())

    async def first() -> Message:
        async with client, aclosing(MODES[mode].messages(client, PACE)) as messages:
            return await anext(messages)

    return client, asyncio.create_task(first())


@pytest.mark.parametrize("mode", MODES)
async def test_a_refused_reader_comes_back_when_it_may(mode: str, clock: Clock) -> None:
    asked_at: list[float] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        asked_at.append(clock.time())
        return web.Response(status=503, headers={"Retry-After": "7"})

    async with answering(refuse) as url:
        recorder = Recorder(run=1)
        _, first = reading(mode, url, recorder)
        await clock.advance(7.25)  # 7 + 0.1
        await clock.advance(7.25)  # 7 + 0.2
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    gaps_s = [later - earlier for earlier, later in itertools.pairwise(asked_at)]
    assert gaps_s == pytest.approx([7.1, 7.2], abs=0.06)
    assert [row.status for row in recorder.requests[:2]] == [503, 503]


@pytest.mark.parametrize("mode", MODES)
async def test_who_is_never_answered_asks_again(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.05)
    monkeypatch.setattr(module, "SILENCE_S", 0.05)
    again = asyncio.Event()
    asked = 0

    async def keep_silent(request: web.Request) -> web.StreamResponse:
        nonlocal asked
        asked += 1
        if asked > 1:
            again.set()
        if request.headers.get("Upgrade"):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            await ws.receive()
            return ws
        await asyncio.sleep(3600)
        return web.Response()

    monkeypatch.setattr(f"{__name__}.PACE", Pace(interval_s=0.0, phase_s=0.0, hold_s=0.0))
    async with answering(keep_silent) as url:
        _, first = reading(mode, url, Recorder(run=1))
        await again.wait()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)


@pytest.mark.parametrize("mode", MODES)
async def test_who_is_not_even_told_a_status_asks_again(
    mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ANSWER_S", 0.02)
    monkeypatch.setattr(f"{__name__}.PACE", Pace(interval_s=0.0, phase_s=0.0, hold_s=0.0))
    asked = asyncio.Semaphore(0)

    async def keep_silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(HEAD_END)
        asked.release()
        await reader.read()
        writer.close()

    recorder = Recorder(run=1)
    async with await asyncio.start_server(keep_silent, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        _, first = reading(mode, url, recorder)
        for _ in range(2):
            await asked.acquire()
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert recorder.requests[0].status == 0


async def test_a_redirect_is_a_failed_request_and_not_two() -> None:
    asked: list[str] = []

    async def send_on(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    recorder = Recorder(run=1)
    async with answering(send_on) as url:
        async with Client(1, url, recorder, Place("epoch", 0), random.Random(1)) as client:
            assert await client.get("/short-poll") == ()
        async with server_at(url) as server:
            with pytest.raises(ServerError, match=r"readers on, to /elsewhere: give --url the"):
                await server.stats()
    assert [row.status for row in recorder.requests] == [307]
    assert asked == ["/short-poll", "/stats"]


async def test_a_server_that_does_not_know_its_name_says_what_to_do() -> None:
    async def refuse(request: web.Request) -> web.StreamResponse:
        line = "this server is not known as pc.lan: start it with --allow-origin http://pc.lan"
        return web.json_response({"error": line}, status=403)

    async with answering(refuse) as url, server_at(url) as server:
        with pytest.raises(ServerError, match=r"refuses: .* start it with --allow-origin"):
            await server.stats()


async def test_a_socket_that_broke_is_not_opened_again_at_once(clock: Clock) -> None:
    """However well it went before: a thousand readers that lost one server must not come as one."""
    opened_at: list[float] = []

    async def break_off(request: web.Request) -> web.StreamResponse:
        opened_at.append(clock.time())
        ws = web.WebSocketResponse()
        await ws.prepare(request)
        await ws.send_str(encode(Message(len(opened_at), "ada", "text", 1, 1)).decode())
        assert request.transport is not None
        request.transport.abort()
        return ws

    async with answering(break_off) as url:
        client = Client(1, url, Recorder(run=1), Place("epoch", 0), Highest())

        async def read() -> None:
            async with client, aclosing(MODES["ws"].messages(client, PACE)) as messages:
                async for _ in messages:
                    pass

        task = asyncio.create_task(read())
        await clock.advance(0.35)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert len(opened_at) >= 3
    assert opened_at[1] - opened_at[0] == pytest.approx(FIRST_S, abs=0.02)
