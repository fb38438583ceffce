"""The article's clients: each polls once a second, or gets a frame a second; all bytes are counted.

A worker: it takes an Order, and reports one Traffic.
"""

import asyncio
import random
import time

import msgspec

from clients.bare import Listener, Poller
from clients.joining import Crowd, Tally
from clients.pace import Pace
from clients.quantum_leap.article import BODY, REQUEST, wire
from clients.worker import work

JOINING_S = 0.0003  # for each client
SETTLING_S = 1.0  # until each has its phase
POLL = wire(REQUEST)
UPGRADE = wire(
    (
        "GET /PollingStock HTTP/1.1",
        "Host: localhost:8080",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",  # the sample of RFC 6455, section 1.3
    )
)


class Order(msgspec.Struct, frozen=True):
    """How many clients poll (or else listen), and for how long they are watched.

    sources: from how many loopback addresses they come
    """

    url: str
    polling: bool
    clients: int
    duration_s: float
    seed: int
    sources: int = 1


class Traffic(msgspec.Struct, frozen=True):
    """What was seen in the window: messages that came, all bytes, and what the process took.

    total: of the whole time, connecting and leaving included, to hold against the server's
    """

    window_s: float
    messages: int
    bytes_up: int
    bytes_down: int
    cpu_s: float
    failures: int
    total: Tally


class Watch:
    """Count messages, and let nobody leave before the window has ended."""

    def __init__(self) -> None:
        self.messages = 0
        self.over = False

    def take(self, _: int, body: bytes) -> bool:
        """Take a poll's answer; say whether to go on."""
        return self.hear(body)

    def hear(self, body: bytes) -> bool:
        """Take a frame's text; say whether to go on."""
        self.messages += body == BODY
        return not self.over


async def run(order: Order, report: list[Traffic]) -> None:
    """Let all join, watch them for a while, let all leave."""
    chance = random.Random(order.seed)
    crowd, watch = Crowd(order.url, order.clients, chance, order.sources), Watch()
    members = [_member(order, crowd, watch, chance) for _ in range(order.clients)]
    await crowd.join(members, JOINING_S * order.clients)
    await asyncio.sleep(SETTLING_S)
    before = _reading(crowd, watch)
    await asyncio.sleep(order.duration_s)
    after = _reading(crowd, watch)
    watch.over = True
    await crowd.gone.wait()
    if crowd.error is not None:
        raise crowd.error
    window_s, messages, up, down, cpu_s = (b - a for a, b in zip(before, after, strict=True))
    report.append(
        Traffic(
            window_s, int(messages), int(up), int(down), cpu_s, crowd.tally.failures, crowd.tally
        )
    )


def _member(order: Order, crowd: Crowd, watch: Watch, chance: random.Random) -> Poller | Listener:
    if not order.polling:
        return Listener(crowd, lambda: UPGRADE, watch.hear)
    pace = Pace(1.0, chance.uniform(0, 1), hold_s=0, timer="grid")
    now = asyncio.get_running_loop().time
    return Poller(crowd, lambda: POLL, watch.take, pace.pauses(now))


def _reading(crowd: Crowd, watch: Watch) -> tuple[float, ...]:
    tally = crowd.tally
    now = asyncio.get_running_loop().time(), time.process_time()
    return (now[0], watch.messages, tally.bytes_up, tally.bytes_down, now[1])


if __name__ == "__main__":
    work(Order, run)
