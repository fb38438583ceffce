"""Several servers, one feed in a real Redis: what readers and publishers see of it."""

import asyncio
import json
import random
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from aiohttp import ClientResponse, ClientSession, ClientWebSocketResponse, WSMsgType
from redis.exceptions import ReadOnlyError

from demo.app import Settings
from demo.feed import Away
from demo.listener import GAP_CODE
from demo.message import Draft, Message
from demo.shared import SharedFeed
from demo.stream import KEY, PUBLISHERS_KEYS, Position, Stream
from tests.conftest import Server, StartDemo, StartServer, until
from tests.hoppers import MODES, Hopper, Publisher, catch_up, check
from tests.redis_servers import RedisServer, Relay, free_port, redis_server, relay_to

BACK = "Redis answers again"

Start = Callable[..., Awaitable[Server]]


@pytest.fixture
def said() -> list[str]:
    """What the servers said of Redis."""
    return []


@pytest.fixture
async def start(start_server: StartServer, redis: RedisServer, said: list[str]) -> Start:
    """Start servers that share the feed in `redis`, asked at `url` if it is given."""

    async def start_sharing(url: str | None = None, settings: Settings = Settings()) -> Server:
        shared = SharedFeed(url or redis.url, settings.history, said.append)
        return await start_server(settings, shared=shared)

    return start_sharing


@pytest.fixture
async def relay(redis: RedisServer) -> AsyncIterator[Relay]:
    async with relay_to(redis) as relay:
        yield relay


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def post(http: ClientSession, server: Server, *texts: str) -> None:
    """Publish texts, and wait until this server's readers can have them."""
    for text in texts:
        async with http.post(
            f"{server.url}/messages", json={"sender": "ada", "text": text}
        ) as response:
            assert response.status == 201
            head = (await response.json())["id"]
    await until(lambda: server.feed.head >= head)


async def post_until_taken(http: ClientSession, server: Server, text: str) -> int:
    """Publish a text, again and again while Redis is away; return its id."""
    while True:
        async with http.post(
            f"{server.url}/messages", json={"sender": "ada", "text": text}
        ) as response:
            if response.status == 201:
                return int((await response.json())["id"])
            assert_away(response)


def assert_away(response: ClientResponse) -> None:
    assert response.status == 503
    assert response.headers["Retry-After"] == "1"
    assert response.headers["Cache-Control"] == "no-store"


async def listen(http: ClientSession, server: Server, query: str = "") -> ClientWebSocketResponse:
    ws = await http.ws_connect(f"{server.url}/ws{query}")
    assert (await ws.receive_json())["epoch"] == server.feed.epoch
    return ws


async def texts(http: ClientSession, server: Server, query: str = "after=0") -> list[str]:
    async with http.get(f"{server.url}/short-poll?{query}") as response:
        assert response.status == 200
        return [message["text"] for message in (await response.json())["messages"]]


def hoppers(servers: list[str], http: ClientSession, chance: random.Random) -> list[Hopper]:
    return [
        Hopper(mode, servers, http, random.Random(chance.random())) for mode in MODES for _ in "ab"
    ]


def publishers(servers: list[str], http: ClientSession, chance: random.Random) -> list[Publisher]:
    return [Publisher(servers, http, random.Random(chance.random())) for _ in range(3)]


async def publish(publishing: list[Publisher], count: int, name: str = "") -> int:
    """Publish `count` texts with each publisher; return the last id that was acknowledged."""
    async with asyncio.TaskGroup() as group:
        for n, publisher in enumerate(publishing):
            group.create_task(publisher.publish([f"{name}{n}/{i}" for i in range(count)]))
    return max(max(publisher.taken) for publisher in publishing)


# Readers that hop


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.both_loops
async def test_who_hops_between_servers_has_every_message_once_in_order(
    start: Start, http: ClientSession, seed: int
) -> None:
    urls = [(await start()).url for _ in range(3)]
    chance = random.Random(seed)
    readers = hoppers(urls, http, chance)
    publishing = publishers(urls, http, chance)
    reading = [asyncio.create_task(reader.read_to(120)) for reader in readers]
    assert await publish(publishing, 40) == 120
    await asyncio.gather(*reading)
    check(readers, publishing)


async def test_a_server_that_is_killed_and_comes_back_costs_nobody_a_message(
    start_demo: StartDemo, redis: RedisServer, http: ClientSession
) -> None:
    demos = [start_demo("--feed", redis.url) for _ in range(2)]
    urls = [demo.url for demo in demos]
    chance = random.Random(1)
    readers = hoppers(urls, http, chance)
    publishing = publishers(urls, http, chance)
    reading = [asyncio.create_task(reader.read_to(1 << 53)) for reader in readers]
    await publish(publishing, 20, "before ")
    demos[0].stop(signal.SIGKILL)
    await publish(publishing, 20, "meanwhile ")
    await asyncio.to_thread(start_demo, "--feed", redis.url, port=demos[0].port)
    head = await publish(publishing, 20, "after ")
    await catch_up(readers, reading, head)
    check(readers, publishing)


@pytest.mark.parametrize("mode", MODES)
async def test_a_reader_from_a_quicker_server_is_waited_for_and_told_no_gap(
    start: Start, relay: Relay, http: ClientSession, mode: str
) -> None:
    quick, slow = await start(), await start(relay.url)
    relay.passes.clear()
    await post(http, quick, "one")
    asked = relay.asked
    reader = Hopper(mode, [slow.url], http, random.Random(1), quick.feed.epoch, 1)
    reading = asyncio.create_task(reader.read_to(2))
    await until(lambda: relay.asked > asked)
    assert slow.feed.head == 0
    relay.passes.set()
    await post(http, quick, "two")
    await reading
    assert (reader.ids, reader.gaps) == ([2], [])


async def test_a_reader_from_an_epoch_that_has_yet_to_be_heard_of_is_told_no_gap(
    start: Start, relay: Relay, redis: RedisServer, http: ClientSession
) -> None:
    quick, slow = await start(), await start(relay.url)
    relay.passes.clear()
    redis.command("FLUSHALL")
    before = quick.feed.epoch
    assert await post_until_taken(http, quick, "one") == 1
    await until(lambda: quick.feed.epoch != before)
    reader = Hopper("short", [slow.url], http, random.Random(1), quick.feed.epoch, 0)
    reading = asyncio.create_task(reader.read_to(1))
    relay.passes.set()
    await reading
    assert (reader.ids, reader.gaps) == ([1], [])


async def test_a_cursor_beyond_every_servers_head_is_a_gap(
    start: Start, http: ClientSession
) -> None:
    server = await start()
    async with http.get(f"{server.url}/long-poll?after=5&hold_s=20") as response:
        assert response.status == 410
        assert "beyond the head" in (await response.json())["error"]


async def test_many_cursors_beyond_the_head_are_one_question_to_redis(
    start: Start, relay: Relay, http: ClientSession
) -> None:
    server = await start(relay.url)

    async def ask() -> None:
        async with http.get(f"{server.url}/short-poll?after=5") as response:
            assert response.status == 410

    await ask()
    asked = relay.asked
    await asyncio.gather(*(ask() for _ in range(100)))
    assert relay.asked - asked < 20


@pytest.mark.parametrize("epoch", ["old", "1", "f" * 40])
async def test_an_epoch_of_no_stream_is_a_gap(
    start: Start, http: ClientSession, epoch: str
) -> None:
    server = await start()
    async with http.get(f"{server.url}/short-poll?after=0&epoch={epoch}") as response:
        assert response.status == 410


# Histories


async def test_a_server_that_starts_later_has_the_history_and_the_epoch(
    start: Start, http: ClientSession
) -> None:
    first = await start()
    await post(http, first, *"abc")
    second = await start()
    assert (second.feed.epoch, second.feed.head) == (first.feed.epoch, 3)
    assert await texts(http, second) == ["a", "b", "c"]


async def test_the_history_is_bounded_in_redis_and_on_every_server(
    start: Start, redis: RedisServer, http: ClientSession
) -> None:
    few = Settings(history=5, publish_per_s=0)
    first, second = await start(settings=few), await start(settings=few)
    await post(http, first, *map(str, range(400)))
    third = await start(settings=few)
    await until(lambda: second.feed.head == 400)
    assert int(redis.command("XLEN", KEY)) < 5 + 200
    for server in (first, second, third):
        assert server.feed.oldest == 396
        async with http.get(f"{server.url}/short-poll?after=3") as response:
            assert response.status == 410
            assert (await response.json())["oldest"] == 396
        assert await texts(http, server, "after=398") == ["398", "399"]


async def test_a_server_that_was_away_for_longer_than_the_history_tells_its_readers(
    start: Start, relay: Relay, http: ClientSession
) -> None:
    few = Settings(history=5, publish_per_s=0)
    here, away = await start(settings=few), await start(relay.url, settings=few)
    ws = await listen(http, away)
    relay.cut()
    await post(http, here, *map(str, range(400)))
    relay.mend()
    notice = await ws.receive_json()
    assert notice["error"].startswith("the history now starts at 396")
    assert (notice["oldest"], notice["cursor"]) == (396, 400)
    assert (await ws.receive()).data == GAP_CODE
    assert away.feed.epoch == here.feed.epoch
    assert await texts(http, away, "after=395") == ["395", "396", "397", "398", "399"]


# Redis goes and comes back


async def test_while_redis_is_away_publishers_are_refused_and_readers_stay(
    start: Start, redis: RedisServer, http: ClientSession, said: list[str]
) -> None:
    servers = [await start() for _ in range(2)]
    await post(http, servers[0], "before")
    sockets = [await listen(http, server, "?after=1") for server in servers]
    polls = [asyncio.create_task(http.get(f"{server.url}/long-poll?after=1")) for server in servers]
    redis.stop()
    for server in servers:
        async with http.post(
            f"{server.url}/messages", json={"sender": "ada", "text": "lost"}
        ) as response:
            assert_away(response)
            assert "try again" in (await response.json())["error"]
        async with http.get(f"{server.url}/short-poll?after=1") as response:
            assert response.status == 204
        assert await texts(http, server) == ["before"]
    await until(lambda: len(said) == 2)
    assert all(line.startswith("Redis does not answer at 127.0.0.1:") for line in said)
    redis.start()
    assert await post_until_taken(http, servers[0], "after") == 2
    for ws in sockets:
        assert (await ws.receive_json())["text"] == "after"
    for poll in polls:
        async with await poll as response:
            assert [message["id"] for message in (await response.json())["messages"]] == [2]
    assert said.count(BACK) == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_acknowledged_is_lost_when_redis_ends_while_it_is_written_to(
    start: Start, redis: RedisServer, http: ClientSession, number: signal.Signals
) -> None:
    urls = [(await start()).url for _ in range(2)]
    chance = random.Random(2)
    readers = hoppers(urls, http, chance)
    publishing = publishers(urls, http, chance)
    reading = [asyncio.create_task(reader.read_to(1 << 53)) for reader in readers]
    work = asyncio.create_task(publish(publishing, 100))
    await until(lambda: len(publishing[0].taken) > 20)
    await asyncio.to_thread(redis.stop, number)
    await until(lambda: bool(publishing[0].doubtful))
    await asyncio.to_thread(redis.start)
    head = await work
    await catch_up(readers, reading, head)
    check(readers, publishing)


async def emptied_by_a_restart(redis: RedisServer) -> None:
    redis.stop()
    redis.empty()
    redis.start()


async def emptied_while_it_runs(redis: RedisServer) -> None:
    redis.command("FLUSHALL")


@pytest.mark.parametrize("empty", [emptied_by_a_restart, emptied_while_it_runs])
async def test_a_redis_that_has_lost_all_is_a_new_epoch_and_readers_get_the_gap(
    start: Start,
    redis: RedisServer,
    http: ClientSession,
    empty: Callable[[RedisServer], Awaitable[None]],
) -> None:
    servers = [await start() for _ in range(2)]
    before = servers[0].feed.epoch
    await post(http, servers[0], "one", "two")
    await until(lambda: servers[1].feed.head == 2)
    sockets = [await listen(http, server) for server in servers]
    await empty(redis)
    for ws in sockets:
        notice = await ws.receive_json()
        assert f"epoch '{before}' has ended" in notice["error"]
        assert (notice["oldest"], notice["cursor"]) == (1, 0)
        assert (await ws.receive()).data == GAP_CODE
    assert servers[0].feed.epoch == servers[1].feed.epoch != before
    assert await post_until_taken(http, servers[0], "new") == 1
    for server in servers:
        async with http.get(f"{server.url}/long-poll?after=2&epoch={before}") as response:
            assert response.status == 410
            assert (await response.json())["epoch"] == server.feed.epoch
        reader = Hopper("long", [server.url], http, random.Random(1))
        await reader.read_to(1)
        assert [message["text"] for message in reader.messages] == ["new"]


async def test_a_redis_without_its_last_messages_is_a_new_epoch_that_has_the_others(
    start: Start, redis: RedisServer, http: ClientSession
) -> None:
    server = await start()
    before = server.feed.epoch
    await post(http, server, "one", "two")
    old = redis.folder.with_name("old")
    shutil.copytree(redis.folder, old)
    await post(http, server, "three")
    ws = await listen(http, server)
    redis.stop()
    redis.empty(old)
    redis.start()
    assert "has ended" in (await ws.receive_json())["error"]
    assert server.feed.epoch != before
    assert await post_until_taken(http, server, "another three") == 3
    reader = Hopper("long", [server.url], http, random.Random(1), before, 3)
    await reader.read_to_gap()
    await reader.read_to(3)
    assert [message["text"] for message in reader.messages] == ["one", "two", "another three"]


async def test_ids_that_others_have_given_away_again_are_noticed_too(
    start: Start, redis: RedisServer, relay: Relay, http: ClientSession
) -> None:
    server = await start(relay.url)
    before = server.feed.epoch
    await post(http, server, "one")
    old = redis.folder.with_name("old")
    shutil.copytree(redis.folder, old)
    await post(http, server, "two")
    relay.cut()
    redis.stop()
    redis.empty(old)
    redis.start()
    other = Stream(redis.url, 1)
    assert (await other.append(Draft("bob", "another two"), 5, 100)).id == 2
    await other.close()
    ws = await listen(http, server)
    relay.mend()
    assert "has ended" in (await ws.receive_json())["error"]
    assert server.feed.epoch != before
    await until(lambda: server.feed.head == 2)
    assert await texts(http, server) == ["one", "another two"]


async def test_a_connection_that_was_opened_unseen_is_not_read_on(
    start_server: StartServer, redis: RedisServer, http: ClientSession
) -> None:
    shared = SharedFeed(redis.url, 100, print)
    server = await start_server(shared=shared)
    before = server.feed.epoch
    await post(http, server, "one")
    old = redis.folder.with_name("old")
    shutil.copytree(redis.folder, old)
    await post(http, server, "two")
    follow = shared._followed.after

    async def after_a_loss(position: Position) -> list[tuple[Position, Message | None]]:
        shared._followed.after = follow  # type: ignore[method-assign]
        redis.stop()
        redis.empty(old)
        redis.start()
        other = Stream(redis.url, 1)
        for text in ("another two", "another three"):
            await other.append(Draft("bob", text), 5, 100)
        await other.close()
        return await follow(position)

    shared._followed.after = after_a_loss  # type: ignore[method-assign]
    await until(lambda: server.feed.epoch != before)
    await until(lambda: server.feed.head == 3)
    assert await texts(http, server) == ["one", "another two", "another three"]


async def test_a_connection_that_is_renewed_while_a_server_starts_does_not_hold_it_up(
    redis: RedisServer,
) -> None:
    other = Stream(redis.url, 1)
    await other.append(Draft("bob", "one"), 5, 100)
    await other.close()
    shared = SharedFeed(redis.url, 100, print)
    follow = shared._followed.after

    async def after_a_cut(position: Position) -> list[tuple[Position, Message | None]]:
        shared._followed.after = follow  # type: ignore[method-assign]
        await shared._followed.close()
        return await follow(position)

    shared._followed.after = after_a_cut  # type: ignore[method-assign]
    await shared.start()
    assert shared.feed.head == 1
    await shared.stop()


@pytest.fixture
def other_redis(redis: RedisServer) -> Iterator[RedisServer]:
    """Another Redis, that copies the first."""
    with redis_server(redis.folder.with_name("other")) as other:
        demote(other, redis)
        redis.is_copied()
        yield other


def demote(copy: RedisServer, redis: RedisServer) -> None:
    copy.command("REPLICAOF", "127.0.0.1", str(redis.port))


def promote(redis: RedisServer, relay: Relay) -> None:
    """Make it the one that the name leads to; who is connected to another stays so."""
    redis.command("REPLICAOF", "NO", "ONE")
    relay.redis = redis


async def test_a_redis_that_is_demoted_is_left_for_the_one_that_its_name_leads_to(
    start: Start, redis: RedisServer, other_redis: RedisServer, relay: Relay, http: ClientSession
) -> None:
    server = await start(relay.url)
    await post(http, server, "before")
    before = server.feed.epoch
    redis.is_copied()
    promote(other_redis, relay)
    demote(redis, other_redis)
    assert await post_until_taken(http, server, "after") == 2
    await until(lambda: server.feed.head == 2)
    assert (await texts(http, server), server.feed.epoch) == (["before", "after"], before)


async def test_a_demoted_redis_is_asked_no_more_over_the_same_connection(
    redis: RedisServer, other_redis: RedisServer, relay: Relay
) -> None:
    stream, draft = Stream(relay.url, 1), Draft("ada", "hi")
    await stream.append(draft, 5, 100)
    redis.is_copied()
    promote(other_redis, relay)
    demote(redis, other_redis)
    with pytest.raises(ReadOnlyError):
        await stream.append(draft, 5, 100)
    await stream.append(draft, 5, 100)
    await stream.close()


async def test_nothing_is_acknowledged_by_a_redis_that_is_followed_no_more(
    start_server: StartServer,
    redis: RedisServer,
    other_redis: RedisServer,
    relay: Relay,
    http: ClientSession,
    said: list[str],
) -> None:
    shared = SharedFeed(relay.url, 100, said.append)
    server = await start_server(shared=shared)
    await post(http, server, "before")
    redis.is_copied()
    promote(other_redis, relay)  # and the first has not heard that it is none any more
    await shared._followed.close()
    await until(lambda: BACK in said)
    await post(http, server, "after")


@pytest.mark.both_loops
async def test_connections_that_are_reset_cost_a_503_at_most(
    start: Start, relay: Relay, http: ClientSession, said: list[str]
) -> None:
    server = await start(relay.url)
    await post(http, server, "before")
    relay.reset()
    await until(lambda: bool(said))
    assert await post_until_taken(http, server, "after") == 2
    await until(lambda: server.feed.head == 2)


async def test_an_append_whose_answer_is_lost_is_not_acknowledged_and_not_sent_twice(
    start: Start, relay: Relay, http: ClientSession
) -> None:
    server, other = await start(relay.url), await start()
    await post(http, server, "certain")
    relay.loses_answer_to = b"in doubt"
    async with http.post(
        f"{server.url}/messages", json={"sender": "ada", "text": "in doubt"}
    ) as response:
        assert_away(response)
        assert "may be in the feed or not" in (await response.json())["error"]
    await until(lambda: other.feed.head == 2)
    await post(http, server, "certain too")
    assert await texts(http, server) == ["certain", "in doubt", "certain too"]


async def test_a_message_that_was_not_even_sent_to_redis_is_told_to_be_so() -> None:
    nobody = SharedFeed(f"redis://127.0.0.1:{free_port()}/0", 100, print)
    with pytest.raises(Away, match="nothing was sent to it: try again"):
        await nobody.append(Draft("ada", "hi"))


async def test_a_redis_that_lost_its_end_before_any_of_it_was_read_is_noticed() -> None:
    following = SharedFeed("redis://127.0.0.1/0", 100, print)._following
    following._begin(5, 10)
    assert await following._goes_on((5, 10))
    assert not await following._goes_on((5, 9))


@pytest.mark.parametrize("query", ["db=x", "max_connections=-1", "no_such_option=1"])
def test_a_url_that_redis_does_not_take_is_said_in_a_line(query: str) -> None:
    with pytest.raises(Away, match="--feed is no URL of a Redis"):
        SharedFeed(f"redis://127.0.0.1/0?{query}", 100, print)


async def test_a_redis_that_may_forget_keys_is_told_of(
    start: Start, redis: RedisServer, said: list[str]
) -> None:
    redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    await start()
    (line,) = said
    assert "(maxmemory-policy allkeys-lru)" in line
    redis.command("ACL", "SETUSER", "default", "-config")
    await start()
    assert said == [line]


async def test_a_redis_that_takes_no_messages_says_why(
    start: Start, redis: RedisServer, http: ClientSession
) -> None:
    server = await start()
    redis.command("CONFIG", "SET", "maxmemory", "1")
    async with http.post(
        f"{server.url}/messages", json={"sender": "ada", "text": "too much"}
    ) as response:
        assert_away(response)
        assert "maxmemory" in (await response.json())["error"]
    redis.command("CONFIG", "SET", "maxmemory", "0")
    assert await post_until_taken(http, server, "enough") == 1


@pytest.mark.parametrize("path", ["/short-poll", "/long-poll", "/ws"])
async def test_a_reader_that_knows_more_is_sent_away_while_redis_is(
    start: Start, redis: RedisServer, http: ClientSession, path: str
) -> None:
    server = await start()
    redis.stop()
    async with http.get(f"{server.url}{path}?after=7") as response:
        assert_away(response)


async def test_who_publishes_by_websocket_is_told_and_stays(
    start: Start, redis: RedisServer, http: ClientSession
) -> None:
    server = await start()
    ws = await listen(http, server)
    redis.stop()
    await ws.send_json({"sender": "ada", "text": "lost"})
    assert "try again" in (await ws.receive_json())["error"]
    redis.start()
    await post_until_taken(http, server, "after")
    assert (await ws.receive_json())["text"] == "after"
    await ws.send_json({"sender": "ada", "text": "and here"})
    assert (await ws.receive_json())["text"] == "and here"


async def test_the_room_hears_all_and_closes_on_who_could_not_be_heard(
    start: Start, redis: RedisServer, http: ClientSession
) -> None:
    one, other = await start(), await start()
    rooms = [await http.ws_connect(server.url) for server in (one, other)]
    await rooms[0].send_str("hello")
    for room in rooms:
        assert await room.receive_str() == "hello"
    redis.stop()
    await rooms[0].send_str("lost")
    end = await rooms[0].receive()
    assert (end.type, end.data) == (WSMsgType.CLOSE, 1013)
    assert not rooms[1].closed


# Keys


async def post_with_key(http: ClientSession, server: Server, key: str, text: str = "hi") -> int:
    """Publish a text under a key, again and again while Redis is away; return its id."""
    body = {"sender": "ada", "text": text, "key": key}
    while True:
        async with http.post(f"{server.url}/messages", json=body) as response:
            if response.status == 201:
                return int((await response.json())["id"])
            assert_away(response)


async def test_a_key_is_known_on_every_server_and_gets_the_first_message(
    start: Start, http: ClientSession
) -> None:
    first, second = await start(), await start()
    body = {"sender": "ada", "text": "hi", "sent_ns": 7, "key": "k"}
    answers = []
    for server in (first, second, first):
        async with http.post(f"{server.url}/messages", json=body) as response:
            assert response.status == 201
            answers.append(await response.read())
    assert len(set(answers)) == 1
    assert await post_with_key(http, second, "another") == 2


async def test_many_who_post_one_key_to_all_servers_at_once_publish_one_message(
    start: Start, http: ClientSession
) -> None:
    servers = [await start() for _ in range(3)]
    posting = [post_with_key(http, server, "k") for server in servers for _ in range(10)]
    assert set(await asyncio.gather(*posting)) == {1}


async def test_what_was_in_doubt_is_there_once_when_it_is_sent_again_with_its_key(
    start: Start, relay: Relay, http: ClientSession
) -> None:
    server, other = await start(relay.url), await start()
    relay.loses_answer_to = b"in doubt"
    assert await post_with_key(http, server, "k", "in doubt") == 1
    assert relay.loses_answer_to is None
    await post(http, other, "certain")
    assert await texts(http, other) == ["in doubt", "certain"]


async def test_redis_keeps_no_more_keys_than_the_history_has_messages(
    start: Start, redis: RedisServer, http: ClientSession
) -> None:
    server = await start(settings=Settings(history=5, publish_per_s=0))
    for number in range(20):
        await post_with_key(http, server, str(number))
    assert redis.command("ZCARD", PUBLISHERS_KEYS) == "5"
    assert await post_with_key(http, server, "19") == 20
    assert await post_with_key(http, server, "0") == 21


async def test_a_redis_that_has_lost_all_knows_no_keys(
    start: Start, redis: RedisServer, http: ClientSession
) -> None:
    server = await start()
    for key in "ab":
        await post_with_key(http, server, key)
    redis.command("DEL", KEY)
    assert await post_with_key(http, server, "b") == 1
    assert redis.command("ZCARD", PUBLISHERS_KEYS) == "1"


# What is stored, and what is not served


async def test_a_message_comes_from_redis_as_it_was_acknowledged(
    start: Start, http: ClientSession
) -> None:
    server = await start()
    body = {"sender": "Zoë", "text": 'ä€😀\t\n "', "sent_ns": 7}
    async with http.post(f"{server.url}/messages", json=body) as response:
        assert response.status == 201
        acknowledged = await response.read()
    await until(lambda: server.feed.head == 1)
    (entry,) = server.feed.after(0)
    assert entry.json == acknowledged
    message = json.loads(acknowledged)
    assert {name: message[name] for name in body} == body
    assert message["published_ns"] > 0


@pytest.mark.parametrize("path", ["/", "/class", "/class/settings", "/join", "/handout"])
async def test_a_shared_feed_has_no_classroom_and_says_so(
    start: Start, http: ClientSession, path: str
) -> None:
    server = await start()
    async with http.get(server.url + path) as response:
        assert response.status == 404
        assert "start `python -m demo` without --feed" in await response.text()


async def test_a_reader_that_gives_its_name_is_a_reader_as_any(
    start: Start, http: ClientSession
) -> None:
    server = await start()
    await post(http, server, "one")
    assert await texts(http, server, "after=0&reader=r1") == ["one"]
