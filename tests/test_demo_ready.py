"""An answer made beforehand is on the wire what aiohttp would have written, or it writes it."""

import asyncio
import re
from unittest.mock import Mock

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, make_mocked_request
from pytest_aiohttp.plugin import AiohttpClient

from demo.ready import Ready, wire

HEADERS = {"Cache-Control": "no-store", "Content-Type": "application/json"}
EMPTY = {"Cache-Control": "no-store"}
BODY = b"[1, 2]"
DATE = re.compile(rb"Date: [^\r]+")


@pytest.fixture
async def client(aiohttp_client: AiohttpClient) -> TestClient[web.Request, web.Application]:
    async def ready(request: web.Request) -> web.StreamResponse:
        return Ready(wire(200, HEADERS, BODY), 200, HEADERS, BODY)

    async def usual(request: web.Request) -> web.StreamResponse:
        return web.Response(body=BODY, headers=HEADERS)

    async def nothing_ready(request: web.Request) -> web.StreamResponse:
        return Ready(wire(204, EMPTY), 204, EMPTY)

    async def nothing_usual(request: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers=EMPTY)

    async def one_more(request: web.Request) -> web.StreamResponse:
        response = Ready(wire(200, HEADERS, BODY), 200, HEADERS, BODY)
        response.headers["Vary"] = "Origin"
        return response

    async def last(request: web.Request) -> web.StreamResponse:
        response = Ready(wire(200, HEADERS, BODY), 200, HEADERS, BODY)
        response.force_close()
        return response

    app = web.Application()
    for name, handler in {
        "/ready": ready,
        "/usual": usual,
        "/nothing-ready": nothing_ready,
        "/nothing-usual": nothing_usual,
        "/one-more": one_more,
        "/last": last,
    }.items():
        app.router.add_get(name, handler)
    return await aiohttp_client(app)


async def exchange(client: TestClient[web.Request, web.Application], *requests: str) -> bytes:
    """Send requests on one connection; return all that comes before it closes."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    for request in requests:
        writer.write(request.encode() + b"\r\nHost: here\r\n\r\n")
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return DATE.sub(b"Date: then", answer)


def to(path: str, method: str = "GET", version: str = "1.1", *lines: str) -> str:
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines])


LAST = to("/usual", "GET", "1.1", "Connection: close")


@pytest.mark.parametrize("kind", ["", "nothing-"])
async def test_it_is_written_as_aiohttp_would_write_it(
    client: TestClient[web.Request, web.Application], kind: str
) -> None:
    ready, usual = [await exchange(client, to(f"/{kind}{how}"), LAST) for how in ("ready", "usual")]
    assert ready == usual
    assert ready.startswith(b"HTTP/1.1 204 No Content\r\n" if kind else b"HTTP/1.1 200 OK\r\n")


@pytest.mark.parametrize(
    ("method", "version", "lines"),
    [
        ("HEAD", "1.1", ("Connection: close",)),
        ("GET", "1.1", ("Connection: close",)),
        ("GET", "1.0", ()),
    ],
)
@pytest.mark.parametrize("kind", ["", "nothing-"])
async def test_whatever_else_is_asked_for_aiohttp_answers(
    client: TestClient[web.Request, web.Application],
    kind: str,
    method: str,
    version: str,
    lines: tuple[str, ...],
) -> None:
    ready, usual = [
        await exchange(client, to(f"/{kind}{how}", method, version, *lines))
        for how in ("ready", "usual")
    ]
    assert ready == usual


async def test_a_head_of_a_kept_connection_has_no_body(
    client: TestClient[web.Request, web.Application],
) -> None:
    ready, usual = [
        await exchange(client, to(f"/{how}", "HEAD"), LAST) for how in ("ready", "usual")
    ]
    assert ready == usual


async def test_a_header_more_is_written(client: TestClient[web.Request, web.Application]) -> None:
    response = await client.get("/one-more")
    assert response.headers["Vary"] == "Origin"
    assert await response.read() == BODY


async def test_it_can_be_the_last_answer(client: TestClient[web.Request, web.Application]) -> None:
    answer = await exchange(client, to("/last"))
    assert b"Connection: close\r\n" in answer
    assert answer.endswith(BODY)


@pytest.mark.parametrize("transport", [None, Mock(is_closing=lambda: True)])
async def test_nothing_is_written_to_a_reader_that_has_gone(
    monkeypatch: pytest.MonkeyPatch, transport: Mock | None
) -> None:
    request = make_mocked_request("GET", "/ready")
    monkeypatch.setattr(request.protocol, "transport", transport)
    ready = Ready(wire(200, HEADERS, BODY), 200, HEADERS, BODY)
    with pytest.raises(ConnectionResetError):
        await ready.prepare(request)
    assert not ready.prepared
    assert transport is None or not transport.write.called
