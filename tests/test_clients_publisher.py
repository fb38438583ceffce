"""The publisher keeps an absolute schedule, from its own process, and reports every publish."""

import asyncio
import io
import subprocess
import sys
import time
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from clients.publisher import Order, Publish, publish, text
from clients.worker import end_with_stdin, work
from demo.message import Draft, Message, encode
from tests.conftest import Server, until
from tests.test_clients_backoff import answering


def order(server: Server, *offsets_ms: float, payload_bytes: int = 20) -> Order:
    start = time.perf_counter_ns()
    return Order(server.url, tuple(start + round(ms * 1e6) for ms in offsets_ms), payload_bytes)


async def test_every_publish_is_reported_with_its_intended_time(server: Server) -> None:
    done: list[Publish] = []
    wanted = order(server, 0, 5, 10)
    await publish(wanted, done)
    assert sorted(p.sent_ns for p in done) == list(wanted.times_ns)
    assert {p.status for p in done} == {201}
    assert sorted(p.message or 0 for p in done) == [1, 2, 3]
    assert sorted(e.message.sent_ns for e in server.feed.after(0)) == list(wanted.times_ns)


async def test_publisher_does_not_wait_for_answers(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = asyncio.Barrier(3)

    async def answer_when_all_are_here(request: web.Request) -> bytes:
        await together.wait()  # for ever, if each publish waited for the one before
        return await request.read()

    monkeypatch.setattr("demo.publishing._read_body", answer_when_all_are_here)
    done: list[Publish] = []
    await publish(order(server, 0, 1, 2), done)
    assert [p.status for p in done] == [201] * 3


async def test_refused_publish_is_reported_with_its_status(server: Server) -> None:
    done: list[Publish] = []
    wanted = msgspec.structs.replace(order(server, 0), payload_bytes=5000)
    await publish(wanted, done)
    assert [(p.status, p.message) for p in done] == [(413, None)]


async def test_server_that_is_gone_leaves_a_row_for_each_publish(server: Server) -> None:
    await server.stop()
    done: list[Publish] = []
    await publish(order(server, 0, 1), done)
    assert [(p.status, p.message) for p in done] == [(0, None)] * 2


def test_text_has_just_the_bytes_that_were_asked_for() -> None:
    assert [len(text(7, size).encode()) for size in (1, 16, 64, 4096)] == [1, 16, 64, 4096]
    assert text(7, 64).startswith("message 7 ")


async def test_process_prints_what_it_did_when_its_input_closes(server: Server) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "clients.publisher"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    wanted = order(server, 50, 3_600_000)
    process.stdin.write(encode(wanted) + b"\n")
    await until(lambda: server.feed.head == 1)
    process.stdin.close()  # an hour before the second message
    out, _ = await process.communicate()
    (done,) = [msgspec.json.decode(line, type=Publish) for line in out.splitlines()]
    assert done.sent_ns == wanted.times_ns[0]


def test_worker_that_was_never_wanted_ends_without_a_word(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    async def carry_out(*_: object) -> None:
        raise AssertionError("nobody gave an order")

    monkeypatch.setattr("clients.worker.sys.stdin", io.TextIOWrapper(io.BytesIO()))
    work(Order, carry_out)
    assert capfd.readouterr().out == "ready\n"


async def test_worker_ends_with_its_input_and_not_with_what_comes_by_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = [b"m", b"o", b""]
    monkeypatch.setattr("clients.worker.sys", SimpleNamespace(stdin=SimpleNamespace(fileno=int)))
    monkeypatch.setattr("clients.worker.os", SimpleNamespace(read=lambda *_: parts.pop(0)))
    working = asyncio.create_task(asyncio.sleep(3600))
    end_with_stdin(working)
    with pytest.raises(asyncio.CancelledError):
        await working
    assert parts == []


async def test_publish_is_stamped_when_its_head_is_handed_to_tcp(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = aiohttp.TCPConnector.connect
    opened: list[int] = []

    async def slow(self: aiohttp.TCPConnector, *args: Any, **kwargs: Any) -> Any:
        connection = await real(self, *args, **kwargs)
        opened.append(time.perf_counter_ns())
        return connection

    monkeypatch.setattr(aiohttp.TCPConnector, "connect", slow)
    done: list[Publish] = []
    await publish(order(server, 0), done)
    assert done[0].started_ns > opened[-1]


async def test_what_is_not_acknowledged_is_sent_again_with_its_key() -> None:
    asked: list[Draft] = []

    async def answer_at_last(request: web.Request) -> web.StreamResponse:
        if request.method == "GET":
            return web.Response()
        asked.append(msgspec.json.decode(await request.read(), type=Draft))
        if len(asked) == 1:
            assert request.transport is not None
            request.transport.abort()  # it may have been taken
        if len(asked) < 3:
            return web.Response(status=503, headers={"Retry-After": "0"})
        now = time.perf_counter_ns()
        return web.Response(status=201, body=encode(Message(7, "publisher", "text", now, now)))

    done: list[Publish] = []
    async with answering(answer_at_last) as url:
        await publish(Order(url, (time.perf_counter_ns(),), 20, key="run"), done)
    assert [(p.status, p.message) for p in done] == [(201, 7)]
    assert [draft.key for draft in asked] == ["run-1"] * 3
    assert {draft.sent_ns for draft in asked} == {done[0].sent_ns}


async def test_a_server_below_a_path_is_published_to_there() -> None:
    asked: list[str] = []

    async def refuse(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(status=400)

    async with answering(refuse) as url:
        await publish(Order(f"{url}/room", (time.perf_counter_ns(),), 20), [])
    assert asked == ["/room/stats", "/room/messages"]


async def test_what_was_taken_before_its_answer_was_lost_is_published_once(server: Server) -> None:
    wanted = msgspec.structs.replace(order(server, 0, 1), key="run")
    first: list[Publish] = []
    again: list[Publish] = []
    await publish(wanted, first)
    await publish(wanted, again)
    assert sorted(p.message or 0 for p in first) == sorted(p.message or 0 for p in again) == [1, 2]
    assert server.feed.head == 2


async def test_a_refusal_for_good_is_not_sent_again(server: Server) -> None:
    done: list[Publish] = []
    await publish(msgspec.structs.replace(order(server, 0), payload_bytes=5000, key="run"), done)
    assert [p.status for p in done] == [413]
