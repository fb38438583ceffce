"""The emulated line holds every byte back for its time, in order, and loses none."""

import asyncio
import random
import re
import sys
import time
from typing import cast

import pytest

from clients.direction import LIMIT_BYTES, Direction, Line
from clients.link import End
from clients.log import Settings
from clients.processes import child, link_to, linked
from demo.sockets import SOCKETS
from tests.conftest import Clock, Server, Session, until


class Paper:
    """A transport that keeps what is written, and when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.now_s
        self.written: list[tuple[float, bytes]] = []
        self.closed_at: float | None = None
        self.reading = True

    def write(self, data: bytes) -> None:
        self.written.append((round(self._clock.now_s - self._began, 6), data))

    def close(self) -> None:
        self.closed_at = round(self._clock.now_s - self._began, 6)

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def direction(clock: Clock, line: Line) -> tuple[Direction, Paper]:
    end = Direction(line, random.Random(1))
    paper = Paper(clock)
    end.to = end.source = cast(asyncio.Transport, paper)
    return end, paper


async def test_bytes_arrive_half_a_round_trip_later(clock: Clock) -> None:
    line, paper = direction(clock, Line(rtt_s=0.1))
    line.send(b"one")
    await clock.advance(0.02)
    line.send(b"two")
    await clock.advance(1)
    assert paper.written == [(0.05, b"one"), (0.07, b"two")]


async def test_first_bytes_of_a_connection_wait_a_round_trip_more(clock: Clock) -> None:
    line, paper = direction(clock, Line(rtt_s=0.1))
    line.open_after(0.1)
    line.send(b"hello")
    await clock.advance(1)
    line.send(b"later")
    await clock.advance(1)
    assert paper.written == [(0.15, b"hello"), (1.05, b"later")]


async def test_jitter_delays_but_never_reorders(clock: Clock) -> None:
    line, paper = direction(clock, Line(rtt_s=0.1, jitter_s=0.2))
    for number in range(50):
        line.send(b"%d" % number)
        await clock.advance(0.01)
    await clock.advance(1)
    assert [data for _, data in paper.written] == [b"%d" % number for number in range(50)]
    late = [at - 0.01 * number for number, (at, _) in enumerate(paper.written)]
    assert min(late) >= 0.05
    assert max(late) <= 0.05 + 0.2
    assert len(set(late)) > 10


async def test_a_narrow_line_sends_one_byte_after_another(clock: Clock) -> None:
    line, paper = direction(clock, Line(rtt_s=0.1, bytes_per_s=1000))
    line.send(b"x" * 100)
    line.send(b"y" * 100)
    await clock.advance(1)
    assert [at for at, _ in paper.written] == [0.15, 0.25]


async def test_the_end_arrives_after_the_bytes_and_as_late(clock: Clock) -> None:
    line, paper = direction(clock, Line(rtt_s=0.1))
    line.send(b"bye")
    line.send(None)
    await clock.advance(0.04)
    assert paper.closed_at is None
    await clock.advance(1)
    assert paper.written == [(0.05, b"bye")]
    assert paper.closed_at == 0.05


async def test_a_sender_is_held_back_while_too_much_is_on_its_way(clock: Clock) -> None:
    line, paper = direction(clock, Line(rtt_s=0.1))
    line.send(b"x" * (LIMIT_BYTES + 1))
    assert not paper.reading
    await clock.advance(1)
    assert paper.reading


async def test_a_sender_is_held_back_while_the_reader_at_the_other_end_does_not_read(
    clock: Clock,
) -> None:
    line, paper = direction(clock, Line(rtt_s=0.1))
    end = End(direction(clock, Line(rtt_s=0.1))[0], line)
    line.send(b"x" * (LIMIT_BYTES + 1))
    end.pause_writing()
    end.resume_writing()
    assert not paper.reading  # so much is on its way
    end.pause_writing()
    await clock.advance(1)
    assert not paper.reading
    end.resume_writing()
    assert paper.reading


async def test_everything_gets_through_the_process_and_a_new_connection_costs_two_round_trips(
    server: Server, session: Session
) -> None:
    settings = Settings(
        clients=1, rate_per_s=1, interval_s=1, hold_s=1, duration_s=1, warmup_s=0, rtt_ms=60
    )
    server.publish(*("x" * 3000 for _ in range(100)))
    async with link_to(server.url, settings, seed="1") as url:
        began = time.perf_counter()
        async with session(server).get(f"{url}/short-poll?after=0") as response:
            news = await response.json()
        assert time.perf_counter() - began >= 0.12  # less would mean that bytes came too soon
    assert [message["id"] for message in news["messages"]] == list(range(1, 101))


async def test_a_server_below_a_path_is_there_behind_the_line_too(server: Server) -> None:
    settings = Settings(
        clients=1, rate_per_s=1, interval_s=1, hold_s=1, duration_s=1, warmup_s=0, rtt_ms=1
    )
    async with link_to(f"{server.url}/room", settings, seed="1") as url:
        assert re.fullmatch(r"http://127.0.0.1:\d+/room", url)


@pytest.mark.skipif(sys.platform != "linux", reason="one loopback address, unless more are added")
async def test_far_end_comes_from_as_many_addresses_as_it_is_told(
    server: Server, session: Session
) -> None:
    settings = Settings(
        clients=2, rate_per_s=1, interval_s=1, hold_s=1, duration_s=1, warmup_s=0, rtt_ms=1
    )
    async with linked(server.url, settings, "1", sources=2) as (near, _):
        client = session(server)
        async with client.ws_connect(f"{near}/ws"), client.ws_connect(f"{near}/ws"):
            await until(lambda: len(server.app[SOCKETS]) == 2)
            transports = server.app[SOCKETS].values()
            peers = {transport.get_extra_info("peername")[0] for transport in transports}
    assert peers == {"127.0.0.1", "127.0.0.2"}


@pytest.mark.parametrize(
    "module", ["clients.link", "clients.stand_in", "clients.quantum_leap.server"]
)
async def test_process_ends_when_its_parent_has_gone(module: str, server: Server) -> None:
    options = [server.url] if module == "clients.link" else []
    async with child(module, *options) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert (await process.stdout.readline()).startswith(b"Listening on")
        process.stdin.close()
        await asyncio.wait_for(process.wait(), 20)
