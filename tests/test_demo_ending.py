"""How a server ends: all is said to all, and then nobody is waited for long, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from types import SimpleNamespace
from typing import cast

import pytest

from demo.app import make_app
from demo.doors import DOORS
from demo.ending import GOODBYE_S
from demo.frames import CLOSE
from demo.metering import MeteredTransport
from demo.peer import Peer
from demo.serving import serving
from demo.sockets import HEARTBEAT_S, PULSE_S, SOCKETS, Socket, say_goodbye, watch
from demo.stop import Stop, on_stdin_closed
from tests.conftest import Clock, OpenWire, Server, until
from tests.test_demo_fanout import Paper


@asynccontextmanager
async def stoppable(stop: Stop) -> AsyncIterator[Server]:
    """Run a server that ends as `stop` says."""
    app = make_app()
    async with AsyncExitStack() as running:
        (url,) = await running.enter_async_context(serving(app, "127.0.0.1", 0, stop=stop))
        yield Server(url, app, running=running)


@asynccontextmanager
async def with_a_mute_reader(stop: Stop, open_wire: OpenWire) -> AsyncIterator[Server]:
    """Run such a server, and a WebSocket there whose client never answers."""
    async with stoppable(stop) as server:
        mute = await open_wire(server)
        await mute.upgrade("/ws")
        yield server


@pytest.mark.both_loops
async def test_polls_are_answered_sockets_told_and_idle_connections_closed_without_a_wait(
    open_wire: OpenWire,
) -> None:
    async with stoppable(Stop()) as server:
        held, idle, socket = [await open_wire(server) for _ in range(3)]
        await held.send(b"GET /long-poll HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await idle.request("/short-poll")
        await socket.upgrade("/ws")
        await socket.frame()
        await until(lambda: len(server.app[DOORS]._open) == 3)
        await asyncio.sleep(0)
        ending = asyncio.create_task(server.stop())
        assert (await held.response()).startswith(b"HTTP/1.1 204 ")
        opcode, payload = await socket.frame()
        assert (opcode, payload[:2]) == (CLOSE, (1001).to_bytes(2))
        await socket.send(b"\x88\x82\0\0\0\0" + payload[:2])
        for wire in (held, idle, socket):
            await wire.end()
        await ending
        assert not server.app[DOORS]._open


async def test_who_does_not_answer_a_close_is_waited_for_no_longer_than_a_moment(
    clock: Clock, open_wire: OpenWire
) -> None:
    stop = Stop()
    async with with_a_mute_reader(stop, open_wire) as server:
        ending = asyncio.create_task(server.stop())
        await clock.advance(GOODBYE_S - 0.1)
        assert not ending.done()
        await clock.advance(0.2)
        await ending
    assert stop.cut_off == 1


async def test_who_asks_again_waits_for_nobody(clock: Clock, open_wire: OpenWire) -> None:
    stop = Stop()
    async with with_a_mute_reader(stop, open_wire) as server:
        stop.ask()
        ending = asyncio.create_task(server.stop())
        await clock.settle()
        assert not ending.done()
        stop.ask()
        await ending  # and the clock stands still
    assert stop.cut_off == 1
    assert not server.app[SOCKETS]


async def test_who_comes_while_the_server_ends_is_told_so(
    clock: Clock, open_wire: OpenWire
) -> None:
    stop = Stop()
    async with with_a_mute_reader(stop, open_wire) as server:
        doors = server.app[DOORS]
        await doors.close()
        late = await open_wire(server)  # had been waiting to be accepted
        assert b"the server stops" in await late.response()
        late.close()
        stop.again.set()


async def test_work_is_given_up_when_all_is_to_stop() -> None:
    stop, forever = Stop(), asyncio.Event()
    assert await stop.unless_asked(asyncio.sleep(0, "done")) == "done"
    doing = asyncio.create_task(stop.unless_asked(forever.wait()))
    await asyncio.sleep(0)
    stop.ask()
    assert await doing is None


async def test_work_that_does_not_hear_of_it_is_told_again() -> None:
    stop, told = Stop(), 0

    async def deaf() -> None:
        nonlocal told
        while told < 2:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                told += 1

    stop.ask()
    await stop.unless_asked(deaf())
    assert told == 2


async def test_others_get_a_turn_while_many_sockets_are_gone_through(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("demo.sockets.TURN", 2)
    papers = [Paper() for _ in range(6)]
    sockets: dict[Socket, MeteredTransport] = {peer(each): metered(each) for each in papers}
    watching = asyncio.create_task(watch(sockets))
    passing = asyncio.create_task(clock.advance(HEARTBEAT_S + PULSE_S))
    pinged = await written_by_turns(papers)
    await passing
    telling = asyncio.create_task(say_goodbye(sockets))
    told = await written_by_turns(papers)
    assert await telling == []
    watching.cancel()
    for seen in (pinged, told):
        assert seen >= {2, 4, 6}


async def written_by_turns(papers: list[Paper]) -> set[int]:
    """Note at each turn on how many papers there is one thing more, until it is on all."""
    before, seen = [len(each.written) for each in papers], set()

    def done() -> bool:
        counts = zip(papers, before, strict=True)
        seen.add(sum(len(each.written) > count for each, count in counts))
        return 6 in seen

    await until(done)
    return seen


def metered(paper: Paper) -> MeteredTransport:
    return cast(MeteredTransport, paper)


def peer(paper: Paper) -> Peer:
    async def hear(*_: object) -> None:
        raise AssertionError("nobody speaks here")

    return Peer(metered(paper), hear, lambda _: None, lambda _: None, 1000, HEARTBEAT_S)


async def test_asking_is_counted_to_two() -> None:
    stop = Stop()
    stop.ask()
    assert (stop.asked.is_set(), stop.again.is_set()) == (True, False)
    stop.ask()
    stop.ask()
    assert stop.again.is_set()


async def test_what_comes_by_standard_input_is_no_end_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parts = [b"typed", b"and typed", b""]
    monkeypatch.setattr("demo.stop.sys", SimpleNamespace(stdin=SimpleNamespace(fileno=lambda: 0)))
    monkeypatch.setattr("demo.stop.os", SimpleNamespace(read=lambda *_: parts.pop(0)))
    stop = Stop()
    on_stdin_closed(stop)
    await stop.asked.wait()
    assert parts == []
