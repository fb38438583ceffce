"""One measured client: its session, its place in the feed, and a row for each of its requests.

The three modes are written with two verbs, `get` and `listen`; what is measured is measured here.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

import aiohttp
from yarl import URL

from clients.attempt import Attempt
from clients.backoff import Backoff, asked_s
from clients.decoding import read_gap, read_news
from clients.dialling import KEEPALIVE_S
from clients.frames import Frames
from clients.meter import Meter, MeteredConnector, Tap
from clients.place import Place, told_by
from clients.recorder import Recorder
from clients.silence import no_longer_silent_than
from clients.stream import Stream
from demo.message import GapNotice, Hello, Message

ANSWER_S = 30.0  # beyond the hold: who is not answered by then comes back
SILENCE_S = 45.0  # of a WebSocket, which is pinged every 30 s at the latest
CLOSE_S = 2.0  # that the server may take to answer a close, where it is near

FAILURES = (aiohttp.ClientError, OSError, ValueError)  # ValueError: an answer we cannot read


class Client:
    """Ask a server for messages, and log every request. Use it as an async context manager.

    place: moves on with every answer; arrived_ns: when the newest message reached this process
    joined: whether it has had an answer, or its upgrade
    gaps: how often it was told that messages after its place are gone
    keepalive: whether polls share a connection; otherwise each says `Connection: close`
    deflate: whether a WebSocket offers permessage-deflate, as browsers do
    source: the address of this machine that it comes from, if that is set before it begins
    close_s: how long a WebSocket's other end may take to answer a close, set likewise
    """

    def __init__(
        self,
        number: int,
        url: str,
        recorder: Recorder,
        place: Place,
        chance: random.Random,
        *,
        keepalive: bool = True,
        deflate: bool = False,
    ) -> None:
        self.number = number
        self.place = place
        self.joined = False
        self.arrived_ns = 0
        self.gaps = 0
        self.source: str | None = None
        self.close_s = CLOSE_S
        self.meter = Meter(recorder.next_connection)
        self._url = url
        self._recorder = recorder
        self._backoff = Backoff(chance)
        self._keeping: dict[str, Any] = (
            {"keepalive_timeout": KEEPALIVE_S} if keepalive else {"force_close": True}
        )
        self._window_bits = 15 if deflate else 0
        self._tapping = number == 1  # one client of each run keeps the bytes of one delivery
        self._attempt = Attempt(number, recorder, self.meter)

    async def __aenter__(self) -> Self:
        local_addr = None if self.source is None else (self.source, 0)
        connector = MeteredConnector(self.meter, limit=0, local_addr=local_addr, **self._keeping)
        self._session = aiohttp.ClientSession(
            connector=connector,
            # Of an upgrade, for aiohttp drops it at the 101; each poll brings its own.
            timeout=_patience({}),
        )
        # aiohttp would repeat a GET once, unasked, when a kept connection breaks. That is for us
        # to do, and to log: a request is a row.
        self._session._retry_connection = False  # noqa: SLF001
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def get(self, path: str, **query: str) -> tuple[Message, ...]:
        """Ask once; return what is after our place, and move it on.

        Nothing new, a gap and a failure return no messages; a failure pauses first.
        """
        messages: tuple[Message, ...] = ()
        wanted_s = 0.0
        self._begin()
        try:
            async with self._session.get(
                self._address(path, query),
                timeout=_patience(query),
                allow_redirects=False,  # a request is a row, and where it leads is another's
            ) as response:
                wanted_s = asked_s(response.headers.get("Retry-After"))
                body = await response.read()
            self._attempt.status = response.status
            self._attempt.body_bytes = len(body)
            messages = self._read(response.status, body)
        except FAILURES:
            self._attempt.status = 0
        finally:
            self._attempt.log()
        if self._attempt.status not in (200, 204, 410):
            await self._failed(wanted_s)
            return ()
        self.joined = True
        self._backoff.reset()
        return messages

    async def listen(self, path: str, **query: str) -> AsyncGenerator[Message, None]:
        """Upgrade once; yield the messages after our place, and move it on, until the close.

        There is a pause before the end, unless that is a gap: what is left is known by then.
        """
        gaps, wanted_s = self.gaps, 0.0
        self._begin()
        try:
            async with self._upgrade(path, query) as stream:
                while (frame := await stream.next()) is not None:
                    if isinstance(frame, Message):
                        self._keep_bytes(1)
                        self.place = Place(self.place.epoch, frame.id)
                        self.arrived_ns = stream.arrived_ns
                        yield frame
                    else:
                        self._note(frame)
                self._recorder.breaks += not stream.closed
        except aiohttp.WSServerHandshakeError as error:
            self._attempt.status = error.status
            wanted_s = asked_s(error.headers.get("Retry-After") if error.headers else None)
        except FAILURES:
            self._recorder.breaks += self._attempt.status == 101
        finally:
            self.meter.frames = None
            self._attempt.log()
        if self._attempt.messages or self.gaps > gaps:
            self._backoff.reset()
        if self.gaps == gaps:
            await self._failed(wanted_s)

    @asynccontextmanager
    async def _upgrade(self, path: str, query: dict[str, str]) -> AsyncIterator[Stream]:
        frames = self.meter.frames = Frames()
        async with self._session.ws_connect(
            self._address(path, query),
            compress=self._window_bits,
            autoping=False,  # so that every frame is seen, and counted
            decode_text=False,
            max_msg_size=0,
            timeout=aiohttp.ClientWSTimeout(ws_close=self.close_s),
        ) as ws:
            self._attempt.status = 101
            self.joined = True
            with no_longer_silent_than(SILENCE_S, self.meter):
                yield Stream(ws, self._attempt, frames)

    def _address(self, path: str, query: dict[str, str]) -> URL:
        more = "".join(f"&{name}={value}" for name, value in query.items())
        return URL(f"{self._url}{path}?{self.place.query}{more}", encoded=True)

    def _read(self, status: int, body: bytes) -> tuple[Message, ...]:
        if status == 410:
            self._note(read_gap(body))
        if status != 200:
            return ()
        news = read_news(body)
        self.place = Place(news.epoch, news.cursor)
        self.arrived_ns = self.meter.arrived_ns
        self._attempt.messages = len(news.messages)
        if news.messages:
            self._keep_bytes(len(news.messages))
        return news.messages

    def _note(self, notice: GapNotice | Hello) -> None:
        self.gaps += isinstance(notice, GapNotice)
        self.place = told_by(notice)

    def _keep_bytes(self, messages: int) -> None:
        if self._tapping and self.meter.tap is not None:
            self._recorder.tap, self.meter.tap = self.meter.tap, None
            self._recorder.tap.messages = messages
            self._tapping = messages != 1  # until a message comes by itself

    def _begin(self) -> None:
        self._attempt = Attempt(self.number, self._recorder, self.meter)
        if self._tapping:
            self.meter.tap = Tap()

    async def _failed(self, wanted_s: float) -> None:
        await asyncio.sleep(self._backoff.next_s(wanted_s))


def _patience(query: dict[str, str]) -> aiohttp.ClientTimeout:
    """Return how long a poll may be silent: a connection may be dead and say nothing of it."""
    silent_s = float(query.get("hold_s", 0)) + ANSWER_S
    return aiohttp.ClientTimeout(total=None, sock_connect=ANSWER_S, sock_read=silent_s)
