import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import ClientSession

from demo.app import Settings, make_app
from demo.feed import Feed
from demo.serving import serving
from demo.stats import STATS
from tests.conftest import Clock, Server, Session, StartServer, until

PATH = "/long-poll"

Answer = tuple[int, object]
Hold = Callable[..., Awaitable[asyncio.Task[Answer]]]


@pytest.fixture
def hold(server: Server, client: ClientSession) -> Hold:
    """Ask, and return once the server holds the request."""

    async def ask(**query: str) -> asyncio.Task[Answer]:
        return await held_poll(server, client, **query)

    return ask


async def held_poll(server: Server, client: ClientSession, **query: str) -> asyncio.Task[Answer]:
    async def ask() -> Answer:
        async with client.get(PATH, params=query) as response:
            assert response.headers["Cache-Control"] == "no-store"
            return response.status, await response.json() if response.status != 204 else None

    tally = server.app[STATS].modes["long"]
    seen = tally.requests
    poll = asyncio.create_task(ask())
    await until(lambda: tally.requests > seen or poll.done())
    return poll


async def test_news_is_answered_at_once(server: Server, hold: Hold) -> None:
    (entry,) = server.publish("hi")
    message = entry.message
    assert await (await hold(after="0")) == (
        200,
        {
            "epoch": server.feed.epoch,
            "cursor": 1,
            "messages": [
                {
                    "id": 1,
                    "sender": "ada",
                    "text": "hi",
                    "sent_ns": message.sent_ns,
                    "published_ns": message.published_ns,
                }
            ],
        },
    )


@pytest.mark.both_loops
async def test_a_held_poll_is_answered_by_news(server: Server, hold: Hold) -> None:
    server.publish("old")
    poll = await hold()
    assert not poll.done()
    server.publish("new")
    status, news = await poll
    assert status == 200
    assert isinstance(news, dict)
    assert [each["text"] for each in news["messages"]] == ["new"]


async def test_one_message_answers_every_held_poll(server: Server, hold: Hold) -> None:
    polls = [await hold(after="0") for _ in range(5)]
    server.publish("hi")
    assert {status for status, _ in await asyncio.gather(*polls)} == {200}


async def test_empty_response_after_hold(clock: Clock, hold: Hold) -> None:
    poll = await hold(after="0")
    await clock.advance(24.9)
    assert not poll.done()
    await clock.advance(0.2)
    assert await poll == (204, None)


async def test_the_client_chooses_the_hold(clock: Clock, hold: Hold) -> None:
    poll = await hold(after="0", hold_s="120")
    await clock.advance(119.9)
    assert not poll.done()
    await clock.advance(0.2)
    assert await poll == (204, None)


async def test_no_hold_is_an_empty_response_at_once(clock: Clock, hold: Hold) -> None:
    assert await (await hold(after="0", hold_s="0")) == (204, None)


async def test_no_hold_still_gives_news(server: Server, clock: Clock, hold: Hold) -> None:
    server.publish("hi")
    status, _ = await (await hold(after="0", hold_s="0"))
    assert status == 200


async def test_news_just_before_the_hold_ends_is_given(
    server: Server, clock: Clock, hold: Hold
) -> None:
    poll = await hold(after="0", hold_s="5")
    await clock.advance(4.999)
    server.publish("hi")
    status, _ = await poll
    assert status == 200


async def test_a_gap_is_not_held(hold: Hold) -> None:
    status, notice = await (await hold(after="7"))
    assert status == 410
    assert isinstance(notice, dict)
    assert notice["error"].startswith("cursor 7 is beyond the head, 0")


async def test_a_history_that_moves_on_as_the_hold_ends_is_a_gap(
    clock: Clock, start_server: StartServer, session: Session
) -> None:
    server = await start_server(Settings(history=1))
    poll = await held_poll(server, session(server), after="0", hold_s="5")
    clock.call_at(clock.time() + 5, server.publish, "one", "two")
    await clock.advance(5)
    status, notice = await poll
    assert status == 410
    assert isinstance(notice, dict)
    assert notice["oldest"] == 2


class WatchedFeed(Feed):
    """A feed that knows how many wait for its news."""

    waiting = 0

    async def news(self, cursor: int, hold_s: float | None = None) -> None:
        self.waiting += 1
        try:
            await super().news(cursor, hold_s)
        finally:
            self.waiting -= 1


@pytest.mark.both_loops
async def test_a_poll_whose_client_has_gone_stops(
    start_server: StartServer, session: Session
) -> None:
    feed = WatchedFeed()
    server = await start_server(feed=feed)
    await until(lambda: feed.waiting == 2)  # the two that push to WebSockets
    poll = await held_poll(server, session(server))
    assert feed.waiting == 3
    poll.cancel()
    await until(lambda: feed.waiting == 2)


@pytest.mark.both_loops
async def test_held_polls_are_answered_when_the_server_stops(session: Session) -> None:
    app = make_app()
    async with serving(app, "127.0.0.1", 0) as (url,):
        server = Server(url, app)
        client = session(server)
        polls = [await held_poll(server, client) for _ in range(3)]
    assert await asyncio.gather(*polls) == [(204, None)] * 3
