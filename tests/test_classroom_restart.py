"""A feed that begins anew while it is read: nobody of the old epoch is left in the dark."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web

from demo.app import Settings
from demo.article import ROOM
from demo.fanout import Fanout
from demo.feed import Feed, Gap
from demo.listener import GAP_CODE
from demo.message import Draft
from demo.websocket import FANOUT
from tests.conftest import OpenWire, Server, StartServer, Wire, until
from tests.test_demo_fanout import Paper, listener


def fill(feed: Feed, count: int) -> None:
    for number in range(count):
        feed.publish(Draft("ada", f"text {number}"))


def test_a_feed_that_begins_anew_is_empty_and_of_another_epoch() -> None:
    feed = Feed()
    fill(feed, 3)
    before = feed.epoch
    feed.restart()
    assert (feed.head, feed.oldest, list(feed.after(0))) == (0, 1, [])
    assert feed.epoch != before
    fill(feed, 1)
    assert [entry.message.id for entry in feed.after(0)] == [1]


def test_a_cursor_of_the_old_epoch_is_a_gap_even_at_the_new_head() -> None:
    feed = Feed()
    fill(feed, 2)
    before = feed.epoch
    feed.restart()
    fill(feed, 2)
    with pytest.raises(Gap, match="has ended"):
        feed.check(2, before)


async def test_who_waits_for_news_is_woken() -> None:
    feed = Feed()
    fill(feed, 2)
    waiting = asyncio.create_task(feed.news(2))
    await asyncio.sleep(0)
    feed.restart()
    await waiting


@pytest.mark.parametrize("known", [True, False])
async def test_a_held_poll_is_told_even_at_the_new_head(
    server: Server, wire: Wire, known: bool
) -> None:
    server.publish("one", "two")
    epoch = f"&epoch={server.feed.epoch}" if known else ""
    await wire.send(f"GET /long-poll?after=2{epoch} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    await until(lambda: bool(server.feed._waiting))
    server.feed.restart()
    server.publish("another", "other")
    answer = await wire.response()
    assert answer.startswith(b"HTTP/1.1 410")
    notice = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (notice["epoch"], notice["oldest"], notice["cursor"]) == (server.feed.epoch, 1, 2)


@pytest.mark.parametrize("deflate", [True, False])
async def test_sockets_are_told_even_at_the_new_head(
    start_server: StartServer, open_wire: OpenWire, deflate: bool
) -> None:
    server = await start_server(Settings(deflate=deflate))
    wires = [await open_wire(server) for _ in range(3)]
    offer = ["Sec-WebSocket-Extensions: permessage-deflate"] if deflate else []
    for wire in wires:
        await wire.upgrade("/ws", *offer)
        await wire.frame()
    server.publish("one")
    for wire in wires:
        await wire.frame()
    server.feed.restart()
    server.publish("another")
    for wire in wires:
        notice = json.loads((await wire.frame())[1])
        assert (notice["epoch"], notice["oldest"]) == (server.feed.epoch, 1)
        opcode, payload = await wire.frame()
        assert (opcode, int.from_bytes(payload[:2])) == (8, GAP_CODE)


async def test_a_socket_that_joins_right_after_hears_the_new_epoch_and_no_gap(
    server: Server, open_wire: OpenWire
) -> None:
    old, new = await open_wire(server), await open_wire(server)
    await old.upgrade("/ws")
    await old.frame()
    server.feed.restart()
    await new.upgrade("/ws?after=0")
    hello = json.loads((await new.frame())[1])
    assert hello == {"epoch": server.feed.epoch, "cursor": 0}
    server.publish("one")
    assert json.loads((await new.frame())[1])["text"] == "one"
    assert "has ended" in json.loads((await old.frame())[1])["error"]


async def test_answers_are_not_those_of_the_old_epoch(server: Server, wire: Wire) -> None:
    server.publish("old")
    assert b'"old"' in await wire.request("/short-poll?after=0")
    server.feed.restart()
    server.publish("new")
    answer = await wire.request("/short-poll?after=0")
    assert b'"new"' in answer
    assert b'"old"' not in answer
    assert server.feed.epoch.encode() in answer


async def test_frames_are_not_those_of_the_old_epoch(server: Server, open_wire: OpenWire) -> None:
    for text in ("old", "new"):
        server.publish(text)
        wire = await open_wire(server)
        await wire.upgrade("/ws?after=0")
        await wire.frame()
        assert json.loads((await wire.frame())[1])["text"] == text
        server.feed.restart()


async def test_a_listener_of_the_new_epoch_is_not_told_of_the_olds_end() -> None:
    feed = Feed()
    fanout = Fanout(feed, lambda entry: entry.frame)
    old, new = Paper(), Paper()
    fanout.add(listener(old))
    feed.restart()
    fanout.add(listener(new))
    old.closed = True  # it cannot be told any more
    feed.publish(Draft("ada", "one"))
    await fanout._round()
    assert [b'"one"' in data for data in new.written] == [True]


async def test_a_feed_that_begins_anew_during_a_round_is_heard_from_its_first_message(
    server: Server, open_wire: OpenWire
) -> None:
    server.publish(*"12345")
    old = [await open_wire(server) for _ in range(300)]
    for wire in old:
        await wire.upgrade("/ws")
        await wire.frame()
    server.publish("6")
    for _ in range(2):  # the fan-out is between two turns
        await asyncio.sleep(0)
    server.feed.restart()
    new = await open_wire(server)
    await new.upgrade("/ws?after=0")
    await new.frame()
    server.publish("first")
    assert b'"first"' in (await new.frame())[1]


async def test_a_socket_that_compresses_is_told_though_it_was_being_written_to(
    start_server: StartServer, open_wire: OpenWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await start_server(Settings(deflate=True))
    wire = await open_wire(server)
    await wire.upgrade("/ws", "Sec-WebSocket-Extensions: permessage-deflate")
    await wire.frame()
    send = web.WebSocketResponse.send_frame

    async def send_and_restart(*arguments: Any) -> None:
        await send(*arguments)
        server.feed.restart()

    monkeypatch.setattr(web.WebSocketResponse, "send_frame", send_and_restart)
    server.publish("last")
    await wire.frame()
    assert b"has ended" in (await wire.frame())[1]


async def test_nobody_of_the_old_epoch_stays_on_the_books(
    server: Server, open_wire: OpenWire
) -> None:
    wires = [await open_wire(server) for _ in range(300)]  # more than one turn of the fan-out
    for wire in wires:
        await wire.upgrade("/ws")
        await wire.frame()
    server.publish("one")
    await asyncio.sleep(0)
    server.feed.restart()
    server.publish("another")
    for wire in wires:
        texts = []
        while (frame := await wire.frame())[0] == 1:
            texts.append(json.loads(frame[1]))
        assert [text.get("text") for text in texts[:-1]] in ([], ["one"])
        assert "has ended" in texts[-1]["error"]
    assert not server.app[FANOUT]._listeners
    assert not server.app[ROOM]._listeners
