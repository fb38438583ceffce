"""Publishing: check what is sent, at the pace the server allows, and enter it in the feed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine

import msgspec
from aiohttp import web

from demo.feed import Away, Entry, Feed
from demo.message import Draft, check_text, decode_draft
from demo.queries import NO_STORE, problem
from demo.stats import STATS, begin

PATH = "/messages"
BODY_TIMEOUT_S = 10.0
MAX_SPEAKERS = 10_000

Append = Callable[[Draft], Awaitable[Entry]]
Publish = Coroutine[None, None, Entry]  # refuses when it is made, or when it is awaited


def in_memory(feed: Feed) -> Append:
    """Append to a feed that is here; awaiting it never gives way to anything else."""

    async def append(draft: Draft) -> Entry:
        return feed.publish(draft)

    return append


class Limits(msgspec.Struct, frozen=True):
    """What one publish may cost, and how many a second one address may make (0: no limit)."""

    text_bytes: int
    per_s: float

    @property
    def body_bytes(self) -> int:
        """The longest JSON that a permitted text can need: 6 bytes a character, and a frame."""
        return 6 * self.text_bytes + 1024


class Refused(ValueError):
    """A publish was refused; `response` is the HTTP answer that says so."""

    def __init__(self, line: str, response: type[web.HTTPException] = web.HTTPBadRequest) -> None:
        super().__init__(line)
        self.response = response


class Publishing:
    """Append drafts to the feed's log, a bounded number a second from each address.

    `append` raises Away when the log cannot be reached.
    """

    def __init__(
        self, append: Append, limits: Limits, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.limits = limits
        self._append = append
        self._clock = clock
        self._allowances: dict[str | None, tuple[float, float]] = {}

    def publish_json(self, body: bytes | str, address: str | None) -> Publish:
        """Publish a draft given as JSON; raise Refused with what is wrong with it."""
        try:
            draft = decode_draft(body, self.limits.text_bytes)
        except OverflowError as error:
            raise Refused(str(error), web.HTTPRequestEntityTooLarge) from None
        except ValueError as error:
            raise Refused(f'{error}: send {{"sender": "...", "text": "..."}}') from None
        return self._publish(draft, address)

    def publish_text(self, sender: str, text: str, address: str | None) -> Publish:
        """Publish plain text; raise Refused when it is too long or too soon."""
        try:
            check_text(text, self.limits.text_bytes)
        except OverflowError as error:
            raise Refused(str(error), web.HTTPRequestEntityTooLarge) from None
        return self._publish(Draft(sender, text), address)

    async def _publish(self, draft: Draft, address: str | None) -> Entry:
        if not self._take(address):
            line = f"too fast: at most {self.limits.per_s:g} messages a second from one address"
            raise Refused(line, web.HTTPTooManyRequests)
        try:
            return await self._append(draft)
        except Away as away:
            raise Refused(str(away), web.HTTPServiceUnavailable) from None

    def _take(self, address: str | None) -> bool:
        # A token bucket that holds one second's worth, and at least one message.
        rate = self.limits.per_s
        if not rate:
            return True
        now, full = self._clock(), max(rate, 1)
        tokens, then = self._allowances.get(address, (full, now))
        tokens = min(full, tokens + (now - then) * rate)
        if len(self._allowances) >= MAX_SPEAKERS:
            self._allowances.clear()
        self._allowances[address] = (tokens - (tokens >= 1), now)
        return tokens >= 1


PUBLISHING = web.AppKey("PUBLISHING", Publishing)


async def post_message(request: web.Request) -> web.Response:
    """Answer 201 with the message; 400, 413, 429 or 503 with what is wrong.

    After a 503 the message may be in the feed all the same, if the answer of a shared log was
    lost: a publisher that tries again risks that readers get it twice, as two messages; one that
    does not, that they never get it.
    """
    publishing = request.app[PUBLISHING]
    tally = request.app[STATS].publish
    try:
        try:
            body = await _read_body(request)
        finally:
            begin(request, tally)  # not before: what has arrived by now is counted with it
        entry = await publishing.publish_json(body, request.remote)
    except Refused as refused:
        raise problem(refused.response, str(refused)) from None
    return web.Response(
        status=201, body=entry.json, content_type="application/json", headers=NO_STORE
    )


async def _read_body(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await request.read()
    except TimeoutError:
        line = f"the body took longer than {BODY_TIMEOUT_S:g} s to arrive"
        raise Refused(line, web.HTTPRequestTimeout) from None
    except web.HTTPRequestEntityTooLarge:
        limit = request.app[PUBLISHING].limits.body_bytes
        raise Refused(f"the body is over {limit} bytes", web.HTTPRequestEntityTooLarge) from None
