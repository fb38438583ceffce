"""A connection whose request may not take too long to come, nor its reader to take the answer.

What a request costs is not touched: the connection is looked at now and then.
"""

import asyncio
import contextlib
import sys

from aiohttp.web_protocol import RequestHandler

from demo.bounds import Bounds
from demo.farewell import raw_answer
from demo.metering import MeteredProtocol
from demo.refusals import Refusals
from demo.tally import Tally

LEAST_RATE = 4096  # bytes a second in which an answer must be taken: a MiB in some four minutes
NO_REQUEST = (-1, 0.0)
NO_ANSWER = (-1, -1, 0.0, 0.0)


class TimedProtocol(MeteredProtocol):
    """A counted connection that is cut off when it holds on and gives nothing."""

    __slots__ = ("_asking", "_taking", "_transport")

    def __init__(self, inner: asyncio.Protocol, tally: Tally) -> None:
        super().__init__(inner, tally)
        self._transport: asyncio.Transport
        self._asking = NO_REQUEST  # requests before this one, and when its beginning was seen
        # Of which answer its reader had yet to take how much, since when, and until when it may.
        self._taking = NO_ANSWER

    def look(self, now: float, bounds: Bounds, refusals: Refusals) -> None:
        """Cut the connection off if its request has taken too long, or its reader has stalled."""
        transport = self._transport
        is_closing = transport.is_closing()  # when its reader has taken the rest
        if self._meter.streaming and not is_closing:
            return  # a WebSocket is looked after by its pings
        if self._meter.pending and not is_closing:
            self._look_at_request(now, bounds.request_s, refusals)
        else:
            self._asking = NO_REQUEST
        if transport.get_write_buffer_size():
            self._look_at_reader(transport, now, bounds.stall_s)
        else:
            self._taking = NO_ANSWER

    def _is_at_work(self) -> bool:
        # aiohttp says it only so; should it no longer, that is to be an error.
        inner = self._inner
        return isinstance(inner, RequestHandler) and inner._request_in_progress  # noqa: SLF001

    def _look_at_request(self, now: float, limit_s: float, refusals: Refusals) -> None:
        """Answer 408 if a head has been coming for too long; for a body its handler waits."""
        claims, since = self._asking
        if self._is_at_work():
            self._asking = NO_REQUEST
        elif claims != self._meter.claims:
            self._asking = self._meter.claims, now
        elif now - since >= limit_s:
            refusals.slow_requests += 1
            line = f"the request took longer than the {limit_s:g} s of --request-timeout-s"
            self._counting.write(raw_answer("408 Request Timeout", line))
            self._counting.close()

    def _look_at_reader(self, transport: asyncio.Transport, now: float, limit_s: float) -> None:
        """Cut a reader off that takes nothing more of what it has asked for, or takes too long."""
        (answer, before, since, until), untaken = self._taking, _untaken(transport)
        if answer != self._meter.claims or untaken > before:  # what is written by and by grows
            until = now + limit_s + untaken / LEAST_RATE
            self._taking = self._meter.claims, untaken, now, until
        elif untaken < before and now < until:
            self._taking = answer, untaken, now, until
        elif now - since >= limit_s or now >= until:
            self._meter.tally.stalled += 1
            transport.abort()


def _untaken(transport: asyncio.Transport) -> int:
    """Return how many bytes the peer has yet to take: ours and, where it says so, the system's."""
    unsent = transport.get_write_buffer_size()
    with contextlib.suppress(ImportError, OSError, ValueError):  # no such thing, or no more
        import fcntl
        import termios

        answer = fcntl.ioctl(transport.get_extra_info("socket"), termios.TIOCOUTQ, bytes(4))
        unsent += int.from_bytes(answer, sys.byteorder)
    return unsent
