"""Publish on an absolute schedule, from a process of its own, and report each publish.

A worker: it takes an Order, and reports a Publish for each of its times.
"""

import asyncio
import contextlib
import random
import time
from types import SimpleNamespace

import aiohttp
import msgspec

from clients.backoff import Backoff, asked_s
from clients.timing import sleep_until
from clients.worker import work
from demo.message import Draft, Message, encode

PATH, STATS = "messages", "stats"  # below the server's address
JSON = {"Content-Type": "application/json"}
AGAIN = (0, 429, 502, 503, 504)  # what says that it may be taken later, or has been already
GIVE_UP_S = 30.0


class Order(msgspec.Struct, frozen=True):
    """What to publish: texts of `payload_bytes` bytes, each at its time.

    key: begins each message's own key; with one, it is sent again until it is acknowledged
    """

    url: str
    times_ns: tuple[int, ...]
    payload_bytes: int
    sender: str = "publisher"
    key: str = ""


class Publish(msgspec.Struct, frozen=True):
    """One publish: when it was meant, when it was handed to TCP; status 0 without an answer.

    clock_apart_ms: by how much its stamp, published_ns, lies before it was begun or after it was
        answered; 0 where publisher and server have one clock
    wanted_s: how long the server wants to be left alone, where it has refused
    """

    sent_ns: int
    started_ns: int
    status: int = 0
    message: int | None = None
    published_ns: int | None = None
    clock_apart_ms: float = 0.0
    wanted_s: float = 0.0


async def publish(order: Order, done: list[Publish]) -> None:
    """Publish at every time of the order, never waiting for an answer; append to `done`."""
    connector = aiohttp.TCPConnector(limit=0)
    stamping = aiohttp.TraceConfig()
    stamping.on_request_headers_sent.append(_stamp)
    async with aiohttp.ClientSession(
        f"{order.url}/", connector=connector, trace_configs=[stamping]
    ) as session:
        await _warm(session)
        async with asyncio.TaskGroup() as posts:
            for number, sent_ns in enumerate(order.times_ns, 1):
                await sleep_until(sent_ns)
                words = text(number, order.payload_bytes)
                if order.key:
                    draft = Draft(order.sender, words, sent_ns, f"{order.key}-{number}")
                    posts.create_task(_post_until_acknowledged(session, draft, done))
                else:
                    draft = Draft(order.sender, words, sent_ns)
                    posts.create_task(_post(session, draft, done))


def text(number: int, payload_bytes: int) -> str:
    """Make a text of just so many bytes that still tells its number."""
    return f"message {number} ".ljust(payload_bytes, ".")[:payload_bytes]


async def _warm(session: aiohttp.ClientSession) -> None:
    # Opens the connection beforehand, so that the first message does not wait for it. A server that
    # is gone, as when all is stopped just now, shows in the publishes.
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with session.get(STATS) as response:
            await response.read()


class _Stamp:
    """When a request's head was handed to TCP, or, before that, when it was begun."""

    def __init__(self) -> None:
        self.started_ns = time.perf_counter_ns()


async def _stamp(_: object, context: SimpleNamespace, __: object) -> None:
    if isinstance(context.trace_request_ctx, _Stamp):
        context.trace_request_ctx.started_ns = time.perf_counter_ns()


async def _post_until_acknowledged(
    session: aiohttp.ClientSession, draft: Draft, done: list[Publish]
) -> None:
    """Send it again and again, with its key: the server publishes it once, however often it comes.

    Its row says when it was first handed to TCP, and how it ended.
    """
    backoff = Backoff(random.Random(draft.key))
    begun_ns = time.perf_counter_ns()
    tried: list[Publish] = []
    try:
        while not tried or (tried[-1].status in AGAIN and _age_s(begun_ns) < GIVE_UP_S):
            if tried:
                await asyncio.sleep(backoff.next_s(tried[-1].wanted_s))
            await _post(session, draft, tried, begun_ns)
    finally:
        done.append(msgspec.structs.replace(tried[-1], started_ns=tried[0].started_ns))


def _age_s(begun_ns: int) -> float:
    return (time.perf_counter_ns() - begun_ns) / 1e9


async def _post(
    session: aiohttp.ClientSession,
    draft: Draft,
    done: list[Publish],
    first_begun_ns: int | None = None,
) -> None:
    assert draft.sent_ns is not None
    stamp = _Stamp()
    begun_ns = stamp.started_ns if first_begun_ns is None else first_begun_ns
    publish = Publish(draft.sent_ns, stamp.started_ns)
    posting = session.post(PATH, data=encode(draft), headers=JSON, trace_request_ctx=stamp)
    try:
        async with posting as response:
            wanted_s = asked_s(response.headers.get("Retry-After"))
            publish = msgspec.structs.replace(publish, started_ns=stamp.started_ns)
            body = await response.read()
        publish = msgspec.structs.replace(publish, status=response.status, wanted_s=wanted_s)
        if response.status == 201:
            message = msgspec.json.decode(body, type=Message)
            publish = msgspec.structs.replace(
                publish,
                message=message.id,
                published_ns=message.published_ns,
                clock_apart_ms=_outside_ms(message.published_ns, begun_ns, time.perf_counter_ns()),
            )
    except (aiohttp.ClientError, OSError):
        pass  # logged with status 0
    finally:
        done.append(publish)


def _outside_ms(stamp_ns: int, begun_ns: int, answered_ns: int) -> float:
    return max(0, begun_ns - stamp_ns, stamp_ns - answered_ns) / 1e6


if __name__ == "__main__":
    work(Order, publish)
