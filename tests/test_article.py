"""The article's own client, as written there, against `python -m demo`.

What its two servers answer to any other client is asked of a server within this process.
"""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Browser, Page

from tests.conftest import Demo, StartDemo, missing, until_page

JOINED = "A new user has joined the chat!"
NODE_MODULES = Path(__file__).parent.parent / ".venv" / "node" / "node_modules"

# As in the article; the close then opens another, so that a restart can be seen.
NODE_CLIENT = """
const WebSocket = require('ws')
const connect = () => {
  const socket = new WebSocket('ws://localhost:PORT')
  socket.onopen = () => socket.send('A new user has joined the chat!')
  socket.onmessage = event => console.log(`heard ${event.data}`)
  socket.onerror = error => console.log('error')
  socket.onclose = event => {
    console.log(`closed ${event.code}`)
    setTimeout(connect, 50)
  }
}
connect()
"""

PAGE_CLIENT = """
const socket = new WebSocket('ws://localhost:PORT')
window.heard = []
socket.onopen = () => socket.send('A new user has joined the chat!')
socket.onmessage = event => window.heard.push(event.data)
"""


# With any WebSocket client


async def test_a_greeting_comes_back_as_plain_text_to_all(demo: Demo) -> None:
    async with (
        ClientSession(demo.url) as client,
        client.ws_connect("/") as one,
        client.ws_connect("/") as other,
    ):
        await one.send_str(JOINED)
        assert await one.receive_str() == JOINED
        assert await other.receive_str() == JOINED


async def test_the_echo_answers_in_the_articles_words(client: ClientSession) -> None:
    async with client.ws_connect("/echo") as ws:
        await ws.send_str("hello")
        assert await ws.receive_str() == 'Server received your message: "hello"'


async def test_what_is_said_in_the_room_appears_in_every_mode(client: ClientSession) -> None:
    async with client.ws_connect("/ws") as ws, client.ws_connect("/") as room:
        await ws.receive_json()
        await room.send_str(JOINED)
        pushed = await ws.receive_json()
        assert (pushed["text"], pushed["sender"]) == (JOINED, "guest")
        for path in ("/short-poll", "/long-poll"):
            async with client.get(path, params={"after": "0"}) as response:
                assert (await response.json())["messages"] == [pushed]


async def test_what_is_published_is_heard_in_the_room(client: ClientSession) -> None:
    async with client.ws_connect("/ws") as ws, client.ws_connect("/") as room:
        async with client.post("/messages", json={"sender": "ada", "text": "posted"}) as response:
            assert response.status == 201
        assert await room.receive_str() == "posted"
        await ws.send_json({"sender": "ada", "text": "pushed"})
        assert await room.receive_str() == "pushed"


async def test_a_newcomer_to_the_room_hears_nothing_old(client: ClientSession) -> None:
    async with client.ws_connect("/") as early:
        await early.send_str("old")
        await early.receive_str()
    async with client.ws_connect("/") as late:
        await late.send_str("new")
        assert await late.receive_str() == "new"


async def test_too_long_a_text_closes_the_room_with_the_reason(client: ClientSession) -> None:
    async with client.ws_connect("/") as room:
        await room.send_str("x" * 5000)
        end = await room.receive()
        assert end.data == 1008
        assert end.extra == "the text has 5000 bytes, the limit is 4096"


async def test_binary_closes_the_room_with_the_reason(client: ClientSession) -> None:
    async with client.ws_connect("/") as room:
        await room.send_bytes(b"noise")
        end = await room.receive()
        assert (end.data, end.extra) == (1003, "text frames only")


# With Node and its ws package


@pytest.fixture
def node(demo: Demo) -> Iterator["subprocess.Popen[str]"]:
    """The article's client, run by Node."""
    if shutil.which("node") is None:
        missing("Node")
    if not (NODE_MODULES / "ws").is_dir():
        missing("Node's ws package")
    process = subprocess.Popen(
        ["node", "-e", NODE_CLIENT.replace("PORT", str(demo.port))],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "NODE_PATH": str(NODE_MODULES)},
    )
    guard = threading.Timer(50, process.kill)
    guard.start()
    yield process
    guard.cancel()
    process.kill()
    process.communicate()


def lines(process: "subprocess.Popen[str]") -> Iterator[str]:
    assert process.stdout is not None
    return (line.rstrip("\n") for line in process.stdout)


def test_the_articles_node_client_hears_its_own_greeting(node: "subprocess.Popen[str]") -> None:
    assert next(lines(node)) == f"heard {JOINED}"


def test_the_articles_node_client_comes_back_after_a_close(
    node: "subprocess.Popen[str]", demo: Demo, start_demo: StartDemo
) -> None:
    printed = lines(node)
    assert next(printed) == f"heard {JOINED}"
    demo.stop()
    assert next(printed) == "closed 1001"
    start_demo(port=demo.port)
    assert next(line for line in printed if line.startswith("heard")) == f"heard {JOINED}"


# In a browser


async def heard(page: Page, port: int) -> list[str]:
    """Run the article's snippet as its reader would, in the console; return what it hears."""
    await page.evaluate(PAGE_CLIENT.replace("PORT", str(port)) + "\nnull")
    await until_page(page, "window.heard.length > 0")
    texts: list[str] = json.loads(await page.evaluate("JSON.stringify(window.heard)"))
    return texts


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_the_articles_snippet_works_in_the_console_of_the_servers_page(
    browser: Browser, demo: Demo
) -> None:
    async with await browser.new_page() as page:
        await page.goto(f"http://localhost:{demo.port}/")
        assert await heard(page, demo.port) == [JOINED]


@pytest.mark.browser
@pytest.mark.asyncio(loop_scope="session")
async def test_the_articles_snippet_works_in_a_file_opened_from_disk(
    browser: Browser, demo: Demo, tmp_path: Path
) -> None:
    file = tmp_path / "chat.html"
    snippet = PAGE_CLIENT.replace("PORT", str(demo.port))
    file.write_text(f"<!doctype html><title>chat</title><script>{snippet}</script>")
    async with await browser.new_page() as page:
        await page.goto(file.as_uri())
        await until_page(page, "window.heard.length > 0")
        assert await page.evaluate("window.heard") == [JOINED]
