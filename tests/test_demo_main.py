import asyncio
import contextlib
import errno
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import ClientSession, WSMsgType

from demo import __main__ as command
from demo.app import make_app
from demo.options import LOOPS, parse
from demo.stats import STATS
from demo.stop import Stop
from demo.workers import Worker
from tests.conftest import Demo, Refusal, Serve, StartDemo, one_line

RunDemo = Callable[..., Demo]

SIGNALS = (signal.SIGTERM, signal.SIGINT)  # each on a loop of its own; on the other, the second

GZIPPED = (
    b"POST /messages HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"
)

UPGRADE = (
    b"GET %b HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


async def until_held(client: ClientSession) -> None:
    """Ask until the server says that it holds a long poll."""
    while not (await stats(client))["modes"]["long"]["requests"]:
        pass


async def stats(client: ClientSession) -> dict[str, Any]:
    async with client.get("/stats") as response:
        figures: dict[str, Any] = await response.json()
        return figures


def test_port_0_takes_a_free_port_and_says_which(demo: Demo) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:[1-9]\d*", demo.url)
    assert demo.said[-1].startswith("Listening on http://127.0.0.1:")


async def test_both_loopback_addresses_are_listened_at(serve: Serve) -> None:
    urls = (await serve()).urls
    hosts = [url.rpartition(":")[0] for url in urls]
    assert hosts == ["http://127.0.0.1", "http://[::1]"][: 1 + has_ipv6()]
    for url in urls:
        async with ClientSession(url) as client, client.get("/short-poll") as response:
            assert response.status == 204


@pytest.mark.parametrize(("number", "loop"), list(zip(SIGNALS, LOOPS, strict=False)))
async def test_a_signal_answers_polls_closes_sockets_and_ends_with_0(
    start_demo: StartDemo, number: signal.Signals, loop: str
) -> None:
    demo = start_demo("--loop", loop)
    async with ClientSession(demo.url) as client:
        sockets = [await client.ws_connect(path) for path in ("/ws", "/", "/echo")]
        await sockets[0].receive_json()
        poll = asyncio.create_task(client.get("/long-poll"))
        await until_held(client)
        ending = asyncio.create_task(asyncio.to_thread(demo.stop, number))
        async with await poll as response:
            assert response.status == 204
        for ws in sockets:
            end = await ws.receive()
            assert (end.type, end.data) == (WSMsgType.CLOSE, 1001)
    assert await ending == (0, "", "")


@pytest.mark.parametrize(("number", "loop"), list(zip(SIGNALS[::-1], LOOPS, strict=False)))
def test_a_second_signal_changes_nothing(
    start_demo: StartDemo, number: signal.Signals, loop: str
) -> None:
    demo = start_demo("--loop", loop)
    demo.process.send_signal(number)
    with contextlib.suppress(ConnectionError):
        while True:  # it has heard the first once it no longer listens
            socket.create_connection(("127.0.0.1", demo.port)).close()
    demo.process.send_signal(number)
    assert demo.wait() == (0, "", "")


async def test_a_reader_that_does_not_answer_the_close_does_not_hold_the_end_up(demo: Demo) -> None:
    with socket.create_connection(("127.0.0.1", demo.port)) as mute:
        mute.sendall(UPGRADE % b"/ws")
        assert await asyncio.to_thread(mute.recv, 12) == b"HTTP/1.1 101"
        code, _, err = await asyncio.to_thread(demo.stop)
    assert (code, err) == (0, "")


def test_a_port_in_use_is_one_line_that_names_the_option(run_demo: RunDemo, demo: Demo) -> None:
    line = one_line(run_demo("--port", str(demo.port)))
    assert f"port {demo.port}" in line
    assert "--port" in line


@pytest.mark.skipif(not has_ipv6(), reason="there is no ::1 here")
def test_a_port_in_use_on_the_other_loopback_is_one_line_too(refusal: Refusal) -> None:
    with socket.socket(socket.AF_INET6) as sock:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(("::1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        assert f"port {port}" in refusal("--port", str(port))


@pytest.mark.parametrize("host", ["203.0.113.1", "a..b", "é" * 100])
def test_an_address_of_another_machine_is_one_line(refusal: Refusal, host: str) -> None:
    assert host in refusal("--port", "0", "--host", host)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "-1"],
        ["--port", "http"],
        ["--history", "0"],
        ["--history", "many"],
        ["--max-text-bytes", "0"],
        ["--publish-rate", "-1"],
        ["--max-body-bytes", "-1"],
        ["--max-sender-characters", "0"],
        ["--max-connections", "all"],
        ["--max-connections-per-address", "1.5"],
        ["--max-held-per-address", ""],
        ["--request-timeout-s", "0"],
        ["--idle-timeout-s", "inf"],
        ["--stall-timeout-s", "never"],
        ["--publish-rate-per-connection", "-1"],
        ["--max-report-bytes", "0"],
        ["--publish-rate", "nan"],
        ["--publish-rate", "inf"],
        ["--allow-origin", "example.org"],
        ["--allow-origin", "https://example.org/chat"],
        ["--allow-origin", "*"],
        ["--allow-origin", "http://[::1"],
        ["--loop", "trio"],
        ["--workers", "0"],
        ["--workers", "2"],
        ["--feed", "http://127.0.0.1"],
        ["--feed", "redis://127.0.0.1:port"],
        ["--feed", "elsewhere"],
        ["--feed", "sqlite:///"],
        ["--feed", "sqlite://feed.db"],
        ["--feed", "REDIS://127.0.0.1"],
        ["--workers", "2", "--feed", "sqlite:///feed.db"],
        ["--token", "lesson", "--feed", "redis://127.0.0.1"],
        ["--port"],
        ["--no-such-option"],
        ["stray"],
    ],
)
def test_a_bad_option_is_one_line_that_names_it(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        parse(arguments)
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert arguments[0] in line


def test_workers_are_refused_where_no_kernel_spreads_their_connections(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(SystemExit):
        parse(["--workers", "2", "--feed", "redis://127.0.0.1"])
    (line,) = capsys.readouterr().err.splitlines()
    assert "--workers needs Linux" in line


def test_a_bad_option_ends_the_program(run_demo: RunDemo) -> None:
    assert "argument --port: 'http' is not a port" in one_line(run_demo("--port", "http"))


async def test_options_reach_the_server(serve: Serve) -> None:
    served = await serve("--history", "1", "--max-text-bytes", "5", "--publish-rate", "0")
    async with ClientSession(served.urls[0]) as client:
        statuses = []
        for text in ("one", "two", "longer"):
            async with client.post("/messages", json={"sender": "a", "text": text}) as response:
                statuses.append(response.status)
        async with client.get("/short-poll?after=0") as response:
            statuses.append(response.status)
    assert statuses == [201, 201, 413, 410]


async def test_a_refused_page_is_a_line_of_the_output(serve: Serve) -> None:
    served = await serve()
    said = len(served.said)
    foreign = {"Origin": "https://example.org"}
    async with (
        ClientSession(served.urls[0]) as client,
        client.post("/messages", json={}, headers=foreign) as response,
    ):
        assert response.status == 403
    (line,) = served.said[said:]
    assert line == (
        "refused a page of 'https://example.org': "
        "--allow-origin https://example.org would let it in"
    )


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 400), ("0.0.0.0", 403)])
async def test_a_file_from_disk_may_publish_on_loopback_alone(
    serve: Serve, host: str, status: int
) -> None:
    port = (await serve("--host", host)).urls[0].rpartition(":")[2]
    async with (
        ClientSession(f"http://127.0.0.1:{port}") as client,
        client.post("/messages", data="{}", headers={"Origin": "null"}) as response,
    ):
        assert response.status == status


async def test_beyond_loopback_a_line_says_who_can_read_the_chat(serve: Serve) -> None:
    served = await serve("--host", "0.0.0.0")
    line = "Bound to 0.0.0.0: everyone on this network can read the chat"
    assert [said.startswith(line) for said in served.said].count(True) == 1
    assert await served.end() == 0


def test_help_is_printed(run_demo: RunDemo) -> None:
    code, out, err = run_demo("--help").wait()
    assert (code, err) == (0, "")
    assert out.startswith("python -m demo [options]: one chat feed")


async def test_a_reader_that_never_reads_does_not_hold_the_end_up(start_demo: StartDemo) -> None:
    demo = start_demo("--publish-rate", "0")
    with socket.socket() as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(("127.0.0.1", demo.port))
        deaf.sendall(UPGRADE % b"/ws")
        deaf.recv(4096)
        async with ClientSession(demo.url) as client, client.ws_connect("/ws?after=0") as ws:
            while (await stats(client))["behind"] == 0:
                for _ in range(50):
                    await ws.send_json({"sender": "ada", "text": "x" * 4096})
        demo.process.send_signal(signal.SIGTERM)
        code, _, _ = await asyncio.to_thread(demo.wait, 8)  # without the cut it would take 11 s
    assert code == 0


def test_a_server_that_should_not_outlive_its_parent_ends_with_its_input() -> None:
    command = [sys.executable, "-m", "demo", "--port", "0", "--until-stdin-closes"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert any(line.startswith("Listening on") for line in iter(process.stdout.readline, ""))
    _, err = process.communicate(timeout=30)  # closes its input
    assert (process.returncode, err) == (0, "")


ODD_REQUESTS = [
    (b"\x1b[31m\x00\xff\r\n\r\n", b"400"),
    (b"GET / HTTP/1.1\r\nHost: x\r\n\x1bBad: y\r\n\r\n", b"400"),
    (b"GET /\xff\x1b HTTP/1.1\r\nHost: x\r\n\r\n", b"400"),
    (b"POST /messages HTTP/1.1\r\nHost: x\r\nOrigin: http://\xff\x9b\tx\r\n\r\n", b"403"),
    (b"POST /messages HTTP/1.1\r\nHost: x\r\nOrigin: http://localhost/\xff\r\n\r\n", b"403"),
    (GZIPPED, b"400"),
    (b"POST /messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"400"),
]


def test_no_request_brings_more_than_its_answer_and_a_printable_line(demo: Demo) -> None:
    for request, status in ODD_REQUESTS:
        with socket.create_connection(("127.0.0.1", demo.port)) as sock:
            sock.sendall(request)
            answer = sock.recv(4096)
        assert answer.split()[1] == status, request
        assert not {0x1B, 0x9B, 0xFF} & set(answer), request
    code, out, err = demo.stop()
    assert (code, err) == (0, "")
    lines = out.removesuffix("\n").split("\n")
    assert len(lines) == [status for _, status in ODD_REQUESTS].count(b"403")
    assert all(line.isprintable() for line in lines)


async def test_who_goes_in_the_middle_of_a_request_is_no_line(demo: Demo) -> None:
    for part in (b"GET /sh", b"POST /messages HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{"):
        with socket.create_connection(("127.0.0.1", demo.port)) as sock:
            sock.sendall(part)
            sock.shutdown(socket.SHUT_WR)
            await asyncio.to_thread(sock.recv, 4096)
    assert demo.stop() == (0, "", "")


async def test_who_is_cut_off_by_a_second_signal_is_counted_in_the_last_line(serve: Serve) -> None:
    served = await serve("--host", "127.0.0.1")
    (url,) = served.urls
    async with ClientSession(url) as client, client.ws_connect("/ws", autoclose=False) as mute:
        await mute.receive_json()
        served.stop.ask()
        assert await served.end() == 0
    assert served.said[-1] == "Stopped at once: 1 connections were cut off"


@pytest.mark.parametrize(("host", "lines"), [("127.0.0.1", 0), ("0.0.0.0", 1)])
async def test_of_workers_it_is_said_too_who_can_read_the_chat(
    monkeypatch: pytest.MonkeyPatch, host: str, lines: int
) -> None:
    said: list[str] = []

    async def run(workers: list[Worker], *_: object) -> int:
        return len(workers)

    monkeypatch.setattr(command, "_stop", lambda _: Stop())
    monkeypatch.setattr(command, "run_workers", run)
    shared = ["--workers", "2", "--feed", "redis://127.0.0.1"]
    arguments = ["--host", host, "--port", "0", *shared]
    assert await command.serve_by_workers(parse(arguments), said.append, arguments) == 2
    assert len(said) == lines
    for line in said:
        assert line.startswith(f"Bound to {host}: everyone on this network can read the chat")
        assert "open the page" not in line  # which workers do not have


async def test_a_connection_for_which_there_is_no_file_is_counted_and_other_faults_are_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app, loop = make_app(), asyncio.get_running_loop()
    command._hear_of_files(app)
    loop.call_exception_handler({"message": "accept", "exception": OSError(errno.EMFILE, "none")})
    assert app[STATS].refusals.files == 1
    assert caplog.messages == []
    loop.call_exception_handler({"message": "another", "exception": OSError(errno.EIO, "a bug")})
    assert app[STATS].refusals.files == 1
    assert "another" in caplog.text
