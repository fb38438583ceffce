import json

import pytest
from aiohttp import ClientSession

from demo.message import MAX_CURSOR
from tests.conftest import Server, Wire

PATHS = ["/short-poll", "/long-poll", "/ws"]
BAD_CURSORS = [
    "",
    "-1",
    "+1",
    "1.5",
    "1e3",
    "0x1",
    "1_000",
    " 1",
    "one",
    "null",
    "\N{FULLWIDTH DIGIT ONE}",
    "\N{SUPERSCRIPT TWO}",
    str(MAX_CURSOR + 1),
    "1" * 5000,
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("after", BAD_CURSORS)
async def test_a_bad_cursor_is_a_400_of_one_line(
    client: ClientSession, path: str, after: str
) -> None:
    async with client.get(path, params={"after": after}) as response:
        body = await response.json()
    assert response.status == 400
    assert response.headers["Cache-Control"] == "no-store"
    assert list(body) == ["error"]
    assert body["error"].startswith(f"after must be an integer from 0 to {MAX_CURSOR}")
    assert len(body["error"].splitlines()) == 1
    assert len(body["error"]) < 200


@pytest.mark.parametrize(
    "hold_s", ["", "-1", "-0.001", "120.1", "nan", "inf", "soon", "1e9", "2s", "1_0", "٣"]
)
async def test_a_bad_hold_is_a_400_of_one_line(client: ClientSession, hold_s: str) -> None:
    async with client.get("/long-poll", params={"hold_s": hold_s}) as response:
        body = await response.json()
    assert response.status == 400
    assert response.headers["Cache-Control"] == "no-store"
    assert body["error"].startswith("hold_s must be a number of seconds from 0 to 120, not ")
    assert len(body["error"].splitlines()) == 1


async def test_a_bad_cursor_is_refused_before_the_upgrade(wire: Wire) -> None:
    answer = await wire.upgrade("/ws?after=-1")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"no-store" in answer


async def test_the_largest_cursor_is_understood(client: ClientSession) -> None:
    async with client.get("/short-poll", params={"after": str(MAX_CURSOR)}) as response:
        assert response.status == 410


@pytest.mark.parametrize("hold_s", ["0", "0.0", "1e-3"])
async def test_a_hold_may_be_as_short_as_one_likes(client: ClientSession, hold_s: str) -> None:
    async with client.get("/long-poll", params={"hold_s": hold_s}) as response:
        assert response.status == 204


async def test_what_was_sent_is_quoted_as_data(client: ClientSession, server: Server) -> None:
    async with client.get("/short-poll", params={"after": '"<b>\n'}) as response:
        assert response.content_type == "application/json"
        assert "<b>\\n" in json.loads(await response.read())["error"]
