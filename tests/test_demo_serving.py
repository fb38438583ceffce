import asyncio
import errno
import socket
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import ClientConnectorError, ClientSession
from aiohttp.http_exceptions import BadHttpMessage

from demo.app import make_app
from demo.refusals import Refusals
from demo.serving import _bind, _log, bind, place, serving
from tests.conftest import until
from tests.test_demo_main import has_ipv6


def test_localhost_is_every_loopback_address_on_one_port() -> None:
    sockets = bind("localhost", 0)
    try:
        assert {sock.getsockname()[0] for sock in sockets} <= {"127.0.0.1", "::1"}
        assert len({sock.getsockname()[1] for sock in sockets}) == 1
    finally:
        for sock in sockets:
            sock.close()


def test_without_ipv6_localhost_is_the_other_address_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def bind_ipv4(family: socket.AddressFamily, *about: Any) -> socket.socket:
        if family == socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "there is no ::1")
        return bind_any(family, *about)

    bind_any = _bind
    monkeypatch.setattr("demo.serving._bind", bind_ipv4)
    (alone,) = bind("localhost", 0)
    assert alone.getsockname()[0] == "127.0.0.1"
    alone.close()


@pytest.mark.parametrize(("system", "reuse"), [("posix", True), ("nt", False)])
def test_an_address_is_reused_only_where_that_shares_no_port(
    monkeypatch: pytest.MonkeyPatch, system: str, reuse: bool
) -> None:
    monkeypatch.setattr("demo.serving.os", SimpleNamespace(name=system))
    (sock,) = bind("127.0.0.1", 0)
    assert bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)) == reuse
    sock.close()


def test_a_fault_of_the_server_is_logged_and_one_of_a_client_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    refusals = Refusals()
    log = _log(refusals)
    log.error("of a client", exc_info=BadHttpMessage("no HTTP"))
    log.error("of ours", exc_info=ZeroDivisionError("a bug"))
    log.error("of nobody")
    err = capsys.readouterr().err
    assert refusals.malformed == 1
    assert "of a client" not in err
    assert "ZeroDivisionError: a bug" in err
    assert "of nobody" in err


def test_a_taken_port_is_an_os_error_and_leaves_no_socket_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="in use"):
            bind("localhost", taken.getsockname()[1])


@pytest.mark.skipif(not has_ipv6(), reason="there is no ::1 here")
def test_workers_want_no_address_that_their_free_port_has_not() -> None:
    (alone,) = bind("127.0.0.1", 0)
    with alone, socket.socket(socket.AF_INET6) as taken:
        taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        taken.bind(("::1", alone.getsockname()[1]))
        taken.listen()
        host, port = place("localhost", [alone])
        (shared,) = bind(host, port, share_port=True)
        shared.close()


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_workers_want_all_that_was_had(host: str) -> None:
    sockets = bind(host, 0)
    port = sockets[0].getsockname()[1]
    assert place(host, sockets) == (host if len(sockets) == 2 else "127.0.0.1", port)
    for sock in sockets:
        sock.close()


@pytest.mark.both_loops
async def test_nobody_listens_once_the_server_has_stopped() -> None:
    async with serving(make_app(), "127.0.0.1", 0) as (url,):
        pass
    async with ClientSession(url) as client:
        with pytest.raises(ClientConnectorError):
            await client.get("/short-poll")


@pytest.mark.both_loops
async def test_a_port_can_be_taken_again_at_once() -> None:
    async with (
        serving(make_app(), "127.0.0.1", 0) as (url,),
        ClientSession(url) as client,
        client.get("/short-poll") as response,
    ):
        assert response.status == 204
    async with serving(make_app(), "127.0.0.1", int(url.rpartition(":")[2])) as (again,):
        assert again == url


async def test_two_servers_in_one_process_share_nothing() -> None:
    async with (
        serving(make_app(), "127.0.0.1", 0) as (one,),
        serving(make_app(), "127.0.0.1", 0) as (two,),
        ClientSession() as client,
    ):
        async with client.post(f"{one}/messages", json={"sender": "a", "text": "b"}) as response:
            assert response.status == 201
        async with client.get(f"{two}/short-poll?after=0") as response:
            assert response.status == 204


async def test_a_part_of_the_server_that_fails_is_told_of_at_once_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def fail(_: object) -> None:
        raise ZeroDivisionError

    told: list[dict[str, Any]] = []
    monkeypatch.setattr("demo.parts.watch", fail)
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    with pytest.raises(ZeroDivisionError):
        async with serving(make_app(), "127.0.0.1", 0):
            await until(lambda: bool(told))
    (context,) = told
    assert context["message"] == "part of the server has ended"
    assert isinstance(context["exception"], ZeroDivisionError)
