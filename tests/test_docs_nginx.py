"""The guide's configuration for nginx, run as it stands there."""

import asyncio
import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession

from clients.faults.nginx import PLACES, configuration
from tests.conftest import Demo, StartDemo, missing
from tests.hoppers import MODES, Hopper, Publisher, check
from tests.redis_servers import RedisServer, free_port

GUIDE = Path(__file__).parent.parent / "docs" / "nginx.md"


def of_the_guide(ports: dict[str, int]) -> str:
    """Return the guide's configuration, its ports replaced by free ones."""
    found = re.search(r"```nginx\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    text = found[1]
    for port, free in ports.items():
        assert text.count(f"127.0.0.1:{port};") == 1
        text = text.replace(f"127.0.0.1:{port};", f"127.0.0.1:{free};")
    return text


@pytest.fixture
def demos(start_demo: StartDemo, redis: RedisServer) -> list[Demo]:
    return [start_demo("--feed", redis.url, "--publish-rate", "0") for _ in range(2)]


@pytest.fixture
def front(demos: list[Demo], tmp_path: Path) -> Iterator[str]:
    """The address of an nginx before two servers."""
    program = shutil.which("nginx", path=PLACES)
    if program is None:
        missing("nginx")
    port = free_port()
    ports = {"8080": port, "3001": demos[0].port, "3002": demos[1].port}
    (tmp_path / "nginx.conf").write_text(configuration(of_the_guide(ports), workers=2))
    command = [program, "-p", str(tmp_path), "-c", "nginx.conf", "-e", "stderr"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_listening(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def wait_until_listening(port: int, process: "subprocess.Popen[str]") -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        else:
            return


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def requests(http: ClientSession, demos: list[Demo]) -> list[int]:
    found = []
    for demo in demos:
        async with http.get(f"{demo.url}/stats") as response:
            found.append((await response.json())["modes"])
    return [sum(mode["requests"] for mode in modes.values()) for modes in found]


async def test_all_modes_pass_through_and_readers_hop_between_the_servers(
    front: str, demos: list[Demo], http: ClientSession
) -> None:
    readers = [Hopper(mode, [front], http, random.Random(n)) for n in range(2) for mode in MODES]
    publisher = Publisher([front], http, random.Random(1))
    reading = [asyncio.create_task(reader.read_to(80)) for reader in readers]
    await publisher.publish(map(str, range(80)))
    await asyncio.gather(*reading)
    check(readers, [publisher])
    assert publisher.doubtful == set()
    assert all(await requests(http, demos))


async def test_a_server_that_dies_costs_no_reader_a_message(
    front: str, demos: list[Demo], http: ClientSession
) -> None:
    readers = [Hopper(mode, [front], http, random.Random(1)) for mode in MODES]
    publisher = Publisher([front], http, random.Random(1))
    reading = [asyncio.create_task(reader.read_to(1 << 53)) for reader in readers]
    await publisher.publish(f"before {n}" for n in range(20))
    demos[0].stop(signal.SIGKILL)
    await publisher.publish(f"after {n}" for n in range(20))
    for task in reading:
        task.cancel()
    await asyncio.gather(*reading, return_exceptions=True)
    last = max(publisher.taken)
    await asyncio.gather(*(reader.read_to(last) for reader in readers))
    check(readers, [publisher])


async def test_a_websocket_closes_with_the_servers_code(
    front: str, demos: list[Demo], http: ClientSession
) -> None:
    sockets = [await http.ws_connect(f"{front}/ws") for _ in range(4)]
    for ws in sockets:
        await ws.receive_json()
    for demo in demos:
        await asyncio.to_thread(demo.stop)
    for ws in sockets:
        assert (await ws.receive()).data == 1001
