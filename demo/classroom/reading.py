"""Answer readers of the page: as anybody's request, but counted for them and over their line.

Whom the class does not count, for want of room or since a foreign page asks, is answered as anybody
is.
"""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import cast

import msgspec
from aiohttp import web

from demo.answers import ANSWERS
from demo.classroom.arriving import DelayedProtocol
from demo.classroom.delayed import MAX_OWED_BYTES, DelayedTransport, lay, lift
from demo.classroom.lanes import MODES, Arrival, Lane, Lanes, Session
from demo.classroom.settings import Mode
from demo.classroom.wire import head_of
from demo.holding import Answer
from demo.metering import MeteredTransport
from demo.origins import is_foreign, let_read
from demo.queries import problem
from demo.ready import Ready
from demo.stats import STATS, begin
from demo.tally import Tally
from demo.upgrade import HandedOver

LANES = web.AppKey("LANES", Lanes)
NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}", re.ASCII)

Carry = Callable[[web.Request, Mode, Answer], Awaitable[web.StreamResponse]]


def named(request: web.Request) -> bool:
    """Say whether a request names its reader; asked of every poll, so it must cost nothing."""
    if "reader=" not in request.raw_path or "reader" not in request.query:
        return False
    return isinstance(request.transport, MeteredTransport)  # else it is gone, or nobody counts


async def poll(request: web.Request, mode: Mode, answer: Answer) -> web.StreamResponse:
    """Answer a poll; this ends when the last byte has left over the reader's line."""
    lane = _lane(request, mode)
    if lane is not None:
        return await _unless_gone(_poll(request, lane, mode, answer))
    response = await answer(request, _uncounted(request, mode))
    if _is_last(request):
        response.force_close()
    return response


async def session(request: web.Request, mode: Mode, answer: Answer) -> web.StreamResponse:
    """Answer a WebSocket; from the upgrade on, all its bytes go over the reader's line."""
    lane = _lane(request, mode)
    if lane is not None:
        return await _unless_gone(_session(request, lane, mode, answer))
    return await answer(request, _uncounted(request, mode))


def arrival(request: web.Request) -> Arrival:
    """Say how a request came, as far as the class's bounds ask."""
    return Arrival(request.app[LANES].bounds.site(request.remote), request.transport)


async def _unless_gone(answering: Awaitable[web.StreamResponse]) -> web.StreamResponse:
    try:
        return await answering
    except ConnectionResetError:  # cut off, or gone by itself: not a fault of the server's
        return web.Response()  # which nobody reads


async def _poll(request: web.Request, lane: Lane, mode: Mode, answer: Answer) -> web.StreamResponse:
    close = _is_last(request)
    with _carried(request, lane, mode) as visit:
        await lane.line.travel(opening=close)
        response = await answer(request, visit.tally)
        epoch = request.app[ANSWERS].feed.epoch
        if close:
            response.force_close()
        let_read(request, response)
        await response.prepare(request)
        await response.write_eof()
        await visit.transport.sent()
        _keep(request.app[LANES], mode, visit, response)
        if isinstance(response, Ready):
            lane.stand = (epoch, response.cursor)
    return response


def _is_last(request: web.Request) -> bool:
    return request.query.get("close") == "1"


async def _session(
    request: web.Request, lane: Lane, mode: Mode, answer: Answer
) -> web.StreamResponse:
    with _carried(request, lane, mode, owes=MAX_OWED_BYTES) as visit:
        delayed = visit.transport
        await lane.line.travel(opening=True)
        protocol = DelayedProtocol(delayed, lane.line)
        lane.wire.session(visit.head, delayed, protocol)
        lane.session = mine = Session(request.app[ANSWERS].feed.epoch, request, delayed)
        try:
            response = await answer(request, visit.tally)
            if isinstance(response, HandedOver):
                await response.peer.gone()
            await delayed.sent()
        finally:
            protocol.step_aside()  # a refused upgrade's connection goes on to other requests
            if lane.session is mine:
                lane.session = None
    return response


class Visit(msgspec.Struct, frozen=True):
    """A request of a reader: whose it is, what counts it, what carries it, and how it came."""

    lane: Lane
    tally: Tally
    transport: DelayedTransport
    begun_ns: int
    bytes_in: int
    head: bytes | None


@contextmanager
def _carried(
    request: web.Request, lane: Lane, mode: Mode, owes: int | None = None
) -> Iterator[Visit]:
    """Count a request for its reader, and lead its connection over the reader's line meanwhile."""
    begun_ns = time.perf_counter_ns()
    lanes = request.app[LANES]
    tally = lanes.tally(lane, mode)
    before = tally.bytes_in
    begin(request, tally)
    size = tally.bytes_in - before
    metered = cast(MeteredTransport, request.transport)
    if lane.line.is_cut:  # the reader has asked, and no answer is made that could not reach it
        metered.abort()
        raise ConnectionResetError
    delayed = lay(metered, lane.line, tally, owes=owes)
    lane.busy += 1
    try:
        yield Visit(lane, tally, delayed, begun_ns, size, head_of(request, size))
    finally:
        lane.busy -= 1
        lane.seen_s = asyncio.get_running_loop().time()
        lift(metered, delayed)


def _keep(lanes: Lanes, mode: Mode, visit: Visit, response: web.StreamResponse) -> None:
    """Keep what a poll cost and what it looked like."""
    visit.lane.wire.exchange(visit.head, visit.transport.head)
    stamps = visit.begun_ns, time.perf_counter_ns()
    body = response.body if isinstance(response, web.Response | Ready) else None
    sizes = visit.bytes_in, visit.transport.written, len(body) if isinstance(body, bytes) else 0
    lanes.served.add((visit.lane.number, MODES.index(mode), *stamps, response.status, *sizes))


def _uncounted(request: web.Request, mode: Mode) -> Tally:
    return begin(request, request.app[STATS].modes[mode])


def _lane(request: web.Request, mode: Mode) -> Lane | None:
    """Return whom a request counts for, None if for nobody."""
    name = request.query["reader"]
    if NAME.fullmatch(name) is None:
        line = f"reader must be 1 to 40 letters, digits, or any of _ . -, not {name[:40]!r}"
        raise problem(web.HTTPBadRequest, line)
    if is_foreign(request):
        request.app[STATS].refusals.readers_of_pages += 1
        return None
    return request.app[LANES].join(name, mode, arrival(request))
