"""Answer readers of the page: as anybody's request, but counted for them and over their line."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import cast

from aiohttp import web

from demo.answers import ANSWERS
from demo.classroom.arriving import DelayedProtocol
from demo.classroom.delayed import MAX_OWED_BYTES, DelayedTransport, lay, lift
from demo.classroom.lanes import Full, Lane, Lanes, Session
from demo.classroom.settings import Mode
from demo.classroom.wire import head_of
from demo.queries import problem
from demo.stats import MeteredTransport, Tally, begin

LANES = web.AppKey("LANES", Lanes)
NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)

Answer = Callable[[web.Request, Tally], Awaitable[web.StreamResponse]]
Carry = Callable[[web.Request, Mode, Answer], Awaitable[web.StreamResponse]]


def named(request: web.Request) -> bool:
    """Say whether a request names its reader; asked of every poll, so it must cost nothing."""
    if "reader=" not in request.raw_path or "reader" not in request.query:
        return False
    return isinstance(request.transport, MeteredTransport)  # else it is gone, or nobody counts


async def poll(request: web.Request, mode: Mode, answer: Answer) -> web.StreamResponse:
    """Answer a poll; this ends when the last byte has left over the reader's line."""
    close = request.query.get("close") == "1"
    with _carried(request, mode) as (lane, tally, delayed, up):
        await lane.line.travel(opening=close)
        response = await answer(request, tally)
        feed = request.app[ANSWERS].feed
        stand = (feed.epoch, feed.head)
        if close:
            response.force_close()
        await response.prepare(request)
        await response.write_eof()
        await delayed.sent()
        lane.wire.exchange(up, delayed.head)
        if response.status in {200, 204}:
            lane.stand = stand
    return response


async def session(request: web.Request, mode: Mode, answer: Answer) -> web.StreamResponse:
    """Answer a WebSocket; from the upgrade on, all its bytes go over the reader's line."""
    with _carried(request, mode, owes=MAX_OWED_BYTES) as (lane, tally, delayed, up):
        await lane.line.travel(opening=True)
        inner = cast(asyncio.Protocol, delayed.below.get_protocol())
        protocol = DelayedProtocol(inner, delayed, lane.line)
        delayed.below.set_protocol(protocol)
        lane.wire.session(up, delayed, protocol)
        epoch = request.app[ANSWERS].feed.epoch
        lane.session = mine = Session(epoch, request, delayed, time.perf_counter_ns())
        try:
            response = await answer(request, tally)
            await delayed.sent()
        finally:
            if lane.session is mine:
                lane.session = None
    return response


@contextmanager
def _carried(
    request: web.Request, mode: Mode, owes: int | None = None
) -> Iterator[tuple[Lane, Tally, DelayedTransport, bytes | None]]:
    """Count a request for its reader, and lead its connection over the reader's line meanwhile."""
    lanes = request.app[LANES]
    lane = _lane(request, mode, lanes)
    tally = lanes.tally(lane, mode)
    before = tally.bytes_in
    begin(request, tally)
    up = head_of(request, tally.bytes_in - before)
    metered = cast(MeteredTransport, request.transport)
    delayed = lay(metered, lane.line, owes=owes)
    lane.busy += 1
    if lane.line.is_cut:
        delayed.abort()
    try:
        yield lane, tally, delayed, up
    finally:
        lane.busy -= 1
        lane.seen_s = asyncio.get_running_loop().time()
        lift(metered, delayed)


def _lane(request: web.Request, mode: Mode, lanes: Lanes) -> Lane:
    name = request.query["reader"]
    if NAME.fullmatch(name) is None:
        line = f"reader must be 1 to 40 letters, digits, or any of _ . -, not {name[:40]!r}"
        raise problem(web.HTTPBadRequest, line)
    try:
        return lanes.join(name, mode)
    except Full as full:
        raise problem(web.HTTPTooManyRequests, str(full)) from None
