"""The rest of a crowd: readers of the feed that are counted, in a process of their own.

A worker: it takes an Order, and reports one Census. Readers check what reaches them as the
measured clients do, and stop at the same message; only time is not taken.
"""

import base64
import itertools
import os
import random
from collections.abc import Callable

import msgspec

from clients import long_polling, short_polling, websocket
from clients.bare import Listener, Poller
from clients.client import Place
from clients.follower import Census, Follower
from clients.joining import Crowd
from clients.log import Settings
from clients.pace import Pace, make_pace
from clients.worker import work

JOINING_S = 0.0005  # for each client, so that the server is not asked by all at once


class Order(msgspec.Struct, frozen=True):
    """Which clients are to read, from `place` on, each until it has the message `last`.

    numbers: first and last of them; the clients before are measured
    """

    url: str
    mode: str
    numbers: tuple[int, int]
    settings: Settings
    place: Place
    last: int
    seed: str


async def read(order: Order, report: list[Census]) -> None:
    """Read until every reader has the last message; the census is in `report` from the start."""
    first, last = order.numbers
    crowd = Crowd(order.url, last - first + 1, random.Random(order.seed))
    census = Census(crowd.tally)
    report.append(census)
    members = [_member(order, crowd, census, number) for number in range(first, last + 1)]
    await crowd.join(members, joining_s(order.settings))
    await crowd.gone.wait()


def joining_s(settings: Settings) -> float:
    """How long a crowd takes to join; the measured clients join in between, at even distances."""
    return JOINING_S * settings.clients


def _member(order: Order, crowd: Crowd, census: Census, number: int) -> Poller | Listener:
    follower = Follower(census, order.place, order.last, order.url)
    pace = make_pace(order.settings, str(order.seed), number)
    return MEMBERS[order.mode](crowd, follower, pace, order.settings.keepalive)


def _short(crowd: Crowd, follower: Follower, pace: Pace, keepalive: bool) -> Poller:
    lines = () if keepalive else (CLOSING,)

    def ask() -> bytes:
        return follower.ask(short_polling.PATH, *lines)

    return Poller(crowd, ask, follower.take, pace.pauses(), keepalive=keepalive)


def _long(crowd: Crowd, follower: Follower, pace: Pace, keepalive: bool) -> Poller:
    lines = () if keepalive else (CLOSING,)

    def ask() -> bytes:
        return follower.ask(long_polling.PATH, *lines, hold_s=f"{pace.hold_s:g}")

    return Poller(crowd, ask, follower.take, itertools.repeat(0.0), keepalive=keepalive)


def _websocket(crowd: Crowd, follower: Follower, pace: Pace, keepalive: bool) -> Listener:
    def ask() -> bytes:
        key = base64.b64encode(os.urandom(16)).decode()
        return follower.ask(websocket.PATH, *UPGRADE, f"Sec-WebSocket-Key: {key}")

    return Listener(crowd, ask, follower.hear)


CLOSING = "Connection: close"
UPGRADE = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")

MEMBERS: dict[str, Callable[[Crowd, Follower, Pace, bool], Poller | Listener]] = {
    "short": _short,
    "long": _long,
    "ws": _websocket,
}


if __name__ == "__main__":
    work(Order, read)
