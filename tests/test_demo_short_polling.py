import asyncio

from aiohttp import ClientSession

from demo.app import Settings
from demo.stats import STATS
from tests.conftest import OpenWire, Server, Session, StartServer, until

PATH = "/short-poll"


async def test_news_is_answered_at_once(client: ClientSession, server: Server) -> None:
    one, two = (entry.message for entry in server.publish("one", "two"))
    async with client.get(PATH, params={"after": "0"}) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.json() == {
            "epoch": server.feed.epoch,
            "cursor": 2,
            "messages": [
                {
                    "id": each.id,
                    "sender": "ada",
                    "text": each.text,
                    "sent_ns": each.sent_ns,
                    "published_ns": each.published_ns,
                }
                for each in (one, two)
            ],
        }


async def test_only_what_follows_the_cursor_is_answered(
    client: ClientSession, server: Server
) -> None:
    server.publish("one", "two", "three")
    async with client.get(PATH, params={"after": "2"}) as response:
        assert [each["text"] for each in (await response.json())["messages"]] == ["three"]


async def test_no_news_is_an_empty_response(client: ClientSession, server: Server) -> None:
    server.publish("one")
    async with client.get(PATH, params={"after": "1", "epoch": server.feed.epoch}) as response:
        assert response.status == 204
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.read() == b""


async def test_without_a_cursor_a_reader_starts_at_the_head(
    client: ClientSession, server: Server
) -> None:
    server.publish("old")
    async with client.get(PATH) as response:
        assert response.status == 204


async def test_a_cursor_behind_the_history_is_told_what_is_gone(
    start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(history=2))
    server.publish("one", "two", "three", "four")
    async with session(server).get(PATH, params={"after": "1"}) as response:
        assert response.status == 410
        assert response.content_type == "application/json"
        assert response.headers["Cache-Control"] == "no-store"
        assert await response.json() == {
            "error": "the history now starts at 3: read on with after=2",
            "epoch": server.feed.epoch,
            "oldest": 3,
            "cursor": 4,
        }


async def test_a_cursor_beyond_the_head_is_a_gap(client: ClientSession, server: Server) -> None:
    server.publish("one")
    async with client.get(PATH, params={"after": "2"}) as response:
        assert response.status == 410
        assert (await response.json())["oldest"] == 1


async def test_a_cursor_of_another_epoch_is_a_gap(client: ClientSession, server: Server) -> None:
    async with client.get(PATH, params={"after": "0", "epoch": "gone"}) as response:
        assert response.status == 410
        assert (await response.json())["epoch"] == server.feed.epoch


async def test_who_asks_again_and_again_and_does_not_read_is_owed_little(
    server: Server, open_wire: OpenWire
) -> None:
    server.publish(*["x" * 4000] * 250)
    wire = await open_wire(server, receive_buffer=4096)
    await wire.send(b"GET /short-poll?after=0 HTTP/1.1\r\nHost: here\r\n\r\n" * 100)
    tally = server.app[STATS].modes["short"]
    await until(lambda: tally.requests > 0)
    for _ in range(500):
        await asyncio.sleep(0)
    assert tally.requests < 20  # a megabyte each, and the kernel takes a few
