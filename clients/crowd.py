"""The rest of a crowd: readers of the feed that are counted, in processes of their own.

A worker: it takes an Order, says how many of its readers have Joined, and reports one Census.
Readers check what reaches them as the measured clients do, and stop at the same message; only
time is not taken.
"""

import asyncio
import base64
import itertools
import os
import random
from collections.abc import Callable
from typing import Any

import msgspec

from clients import long_polling, short_polling, websocket
from clients.bare import Listener, Poller
from clients.follower import Census, Follower
from clients.joining import Crowd
from clients.modes import MODES
from clients.pace import Pace, make_pace
from clients.place import Place
from clients.records import Settings
from clients.timing import new_fast_event_loop
from clients.worker import say, work
from demo.message import encode

JOINING_S = 0.0005  # for each client, so that the server is not asked by all at once


class Order(msgspec.Struct, frozen=True):
    """Which clients are to read, from `place` on, each until it has the message `last`.

    numbers: first and last of them; the clients before are measured, or another worker's
    sources: from how many loopback addresses they come
    """

    url: str
    mode: str
    numbers: tuple[int, int]
    settings: Settings
    place: Place
    last: int
    seed: str
    sources: int = 1


class Joined(msgspec.Struct, frozen=True, tag="joined"):
    """How many readers of a worker have had their first answer, or their upgrade."""

    clients: int


Said = Joined | Census


async def read(
    order: Order, report: list[Census], tell: Callable[[int], None] = lambda _: None
) -> None:
    """Read until every reader has the last message; the census is in `report` from the start.

    An error that no connection explains ends it, and is the census's trouble.
    """
    first, last = order.numbers
    size, chance = last - first + 1, random.Random(f"{order.seed}/{first}")
    crowd = Crowd(order.url, size, chance, order.sources, tell)
    census = Census(crowd.tally)
    report.append(census)
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: _fail(crowd, loop, context))
    members = [_member(order, crowd, census, number) for number in range(first, last + 1)]
    answered = not MODES[order.mode].holds
    crowd.start(crowd.join(members, joining_s(order.settings), answered=answered))
    try:
        await crowd.gone.wait()
    finally:
        crowd.end()  # or the loop, which is closed next, would be left with those who come again
    if crowd.error is not None:
        census.trouble = repr(crowd.error)


def joining_s(settings: Settings) -> float:
    """How long a crowd takes to join; the measured clients join in between, at even distances."""
    return JOINING_S * settings.clients


def _fail(crowd: Crowd, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    if "exception" in context:
        crowd.fail(context["exception"])
    else:
        loop.default_exception_handler(context)


def _member(order: Order, crowd: Crowd, census: Census, number: int) -> Poller | Listener:
    follower = Follower(census, order.place, order.last, order.url)
    pace = make_pace(order.settings, order.seed, number)
    return MEMBERS[order.mode](crowd, follower, pace, order.settings.keepalive)


def _short(crowd: Crowd, follower: Follower, pace: Pace, keepalive: bool) -> Poller:
    ask = follower.asking(short_polling.PATH, *(() if keepalive else (CLOSING,)))
    return Poller(crowd, ask, follower.take, pace.pauses(), keepalive=keepalive)


def _long(crowd: Crowd, follower: Follower, pace: Pace, keepalive: bool) -> Poller:
    lines = () if keepalive else (CLOSING,)
    ask = follower.asking(long_polling.PATH, *lines, hold_s=f"{pace.hold_s:g}")
    return Poller(crowd, ask, follower.take, itertools.repeat(0.0), keepalive=keepalive)


def _websocket(crowd: Crowd, follower: Follower, pace: Pace, keepalive: bool) -> Listener:
    def ask() -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        return follower.asking(websocket.PATH, *UPGRADE, f"Sec-WebSocket-Key: {key}")()

    return Listener(crowd, ask, follower.hear)


CLOSING = "Connection: close"
UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")

MEMBERS: dict[str, Callable[[Crowd, Follower, Pace, bool], Poller | Listener]] = {
    "short": _short,
    "long": _long,
    "ws": _websocket,
}


async def carry_out(order: Order, report: list[Census]) -> None:
    """Read, and say on the way how many have joined."""
    await read(order, report, lambda clients: say(encode(Joined(clients))))


if __name__ == "__main__":
    work(Order, carry_out, new_fast_event_loop)
