import asyncio

import pytest
from aiohttp import ClientSession

from demo.feed import Feed
from demo.keys import Keys
from demo.message import Draft
from demo.publishing import in_memory
from tests.conftest import Server

PATH = "/messages"


def draft(key: str | None = "k", sender: str = "ada", text: str = "hi") -> Draft:
    return Draft(sender, text, key=key)


async def test_a_key_that_is_sent_again_publishes_nothing_and_gets_the_first_message() -> None:
    feed = Feed()
    append = in_memory(feed)
    first = await append(draft())
    await append(draft(key="another"))
    assert await append(draft(text="changed meanwhile")) is first
    assert feed.head == 2


async def test_without_a_key_the_same_text_is_another_message() -> None:
    feed = Feed()
    append = in_memory(feed)
    for _ in range(2):
        await append(draft(key=None))
    assert feed.head == 2


async def test_a_key_is_its_senders_own() -> None:
    feed = Feed()
    append = in_memory(feed)
    for sender in ("ada", "bob"):
        await append(draft(sender=sender))
    assert [entry.message.sender for entry in feed.after(0)] == ["ada", "bob"]


async def test_a_key_is_forgotten_with_its_message() -> None:
    feed = Feed(3)
    append = in_memory(feed)
    for key in ("k", "b", "c", "k", "d"):
        await append(draft(key))
    assert feed.head == 4
    assert (await append(draft("k"))).message.id == 5


async def test_the_oldest_key_is_forgotten_and_no_other() -> None:
    feed = Feed(3)
    append = in_memory(feed)
    for key in "abcd":
        await append(draft(key))
    assert [(await append(draft(key))).message.id for key in "bcd"] == [2, 3, 4]


async def test_no_more_keys_are_kept_than_messages() -> None:
    feed = Feed(3)
    keys = Keys(feed)
    for key in "abcdef":
        keys.keep(draft(key), feed.publish(draft(key)))
    assert [entry.message.id for entry in keys._entries.values()] == [4, 5, 6]


async def test_a_feed_that_begins_anew_knows_no_keys() -> None:
    feed = Feed()
    append = in_memory(feed)
    await append(draft())
    feed.restart()
    await append(draft())
    assert feed.head == 1


async def test_who_posts_again_gets_the_same_answer(client: ClientSession, server: Server) -> None:
    body = {"sender": "ada", "text": "hi", "key": "7c9e"}
    answers = []
    for _ in range(2):
        async with client.post(PATH, json=body) as response:
            assert response.status == 201
            answers.append(await response.read())
    assert answers[0] == answers[1]
    assert server.feed.head == 1


async def test_a_frame_that_is_sent_again_is_heard_once_and_without_its_key(
    client: ClientSession, server: Server
) -> None:
    async with client.ws_connect("/ws") as ws:
        await ws.receive_json()
        for text in ("hi", "hi", "bye"):
            await ws.send_json({"sender": "ada", "text": text, "key": text})
        heard = [await ws.receive_json() for _ in range(2)]
    assert [message["text"] for message in heard] == ["hi", "bye"]
    assert all("key" not in message for message in heard)


@pytest.mark.parametrize("key", ["", "k" * 65, 7])
async def test_a_bad_key_is_refused(client: ClientSession, server: Server, key: object) -> None:
    async with client.post(PATH, json={"sender": "ada", "text": "hi", "key": key}) as response:
        assert response.status == 400
        assert "$.key" in (await response.json())["error"]
    assert server.feed.head == 0


async def test_many_who_post_one_key_at_once_publish_one_message(
    client: ClientSession, server: Server
) -> None:
    async def post() -> int:
        body = {"sender": "ada", "text": "hi", "key": "k"}
        async with client.post(PATH, json=body) as response:
            return int((await response.json())["id"])

    assert set(await asyncio.gather(*(post() for _ in range(20)))) == {1}
    assert server.feed.head == 1
