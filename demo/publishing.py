"""Publishing: check what is sent, at the pace the server allows, and enter it in the feed."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine

import msgspec
from aiohttp import web

from demo.feed import Away, Entry, Feed
from demo.keys import Keys
from demo.message import (
    MAX_KEY_CHARACTERS,
    MAX_SENDER_CHARACTERS,
    Draft,
    Unfit,
    check_text,
    decode_draft,
)
from demo.metering import Meter, meter_of
from demo.pace import Pace, TooFast
from demo.queries import NO_STORE, RETRY_AFTER_S, problem
from demo.refusals import Refusals
from demo.stats import STATS, begin

PATH = "/messages"
MAX_REPORT_BYTES = 64 * 1024

Append = Callable[[Draft], Awaitable[Entry]]
Publish = Coroutine[None, None, Entry]  # refuses when it is made, or when it is awaited


def in_memory(feed: Feed) -> Append:
    """Append to a feed that is here; awaiting it never gives way to anything else."""
    keys = Keys(feed)

    async def append(draft: Draft) -> Entry:
        known = keys.find(draft)
        if known is not None:
            return known
        entry = feed.publish(draft)
        keys.keep(draft, entry)
        return entry

    return append


class Limits(msgspec.Struct, frozen=True):
    """What one publish may cost, and how many a second there may be (0: no limit).

    per_s, per_s_of_connection: from one address, and over one connection
    per_s_here: from this machine, where that has another limit than other addresses
    report_bytes: the longest JSON that is sent to the class
    """

    text_bytes: int
    per_s: float
    json_bytes: int = 0
    sender_characters: int = MAX_SENDER_CHARACTERS
    body_s: float = 10.0
    per_s_of_connection: float = 0.0
    report_bytes: int = MAX_REPORT_BYTES
    per_s_here: float | None = None

    @property
    def body_bytes(self) -> int:
        """The longest JSON; by itself what may be in one: 6 bytes a byte of text, and the rest.

        A character of sender and key may take 12, escaped as two surrogates.
        """
        return self.json_bytes or 6 * self.text_bytes + 12 * self._named_characters + 1024

    @property
    def _named_characters(self) -> int:
        return self.sender_characters + MAX_KEY_CHARACTERS


class Refused(ValueError):
    """A publish was refused; `response` is the HTTP answer that says so.

    after_s: how long it takes until it would not be
    """

    def __init__(
        self,
        line: str,
        response: type[web.HTTPException] = web.HTTPBadRequest,
        after_s: float = RETRY_AFTER_S,
    ) -> None:
        super().__init__(line)
        self.response = response
        self.after_s = after_s


class Publishing:
    """Append drafts to the feed's log, a bounded number a second from each address and connection.

    `append` raises Away when the log cannot be reached. A connection is known by its meter; None is
    one that is not counted. `open_of` says how many a site has open.
    """

    def __init__(
        self,
        append: Append,
        limits: Limits,
        refusals: Refusals,
        site: Callable[[str | None], str | None] = str,
        clock: Callable[[], float] = time.monotonic,
        open_of: Callable[[str], int] = lambda _: 1,
    ) -> None:
        self.limits = limits
        self.refusals = refusals
        self._site = site
        self._append = append
        rates = limits.per_s, limits.per_s_of_connection, limits.per_s_here
        self._pace = Pace(*rates, clock, open_of)

    def publish_json(
        self, body: bytes | str, address: str | None, meter: Meter | None = None
    ) -> Publish:
        """Publish a draft given as JSON; raise Refused with what is wrong with it."""
        limits = self.limits
        if _is_longer(body, limits.body_bytes):
            raise self.too_large()
        try:
            draft = decode_draft(body, limits.text_bytes, limits.sender_characters)
        except Unfit as unfit:
            raise self._unfit(unfit) from None
        except ValueError as error:
            raise Refused(f'{error}: send {{"sender": "...", "text": "..."}}') from None
        return self._publish(draft, address, meter)

    def publish_text(
        self, sender: str, text: str, address: str | None, meter: Meter | None = None
    ) -> Publish:
        """Publish plain text; raise Refused when it is too long, no text, or too soon."""
        try:
            check_text(text, self.limits.text_bytes)
        except Unfit as unfit:
            raise self._unfit(unfit) from None
        return self._publish(Draft(sender, text), address, meter)

    def check_pace(self, address: str | None, meter: Meter | None = None) -> None:
        """Count a text of an address and a connection; raise Refused when it comes too soon."""
        try:
            self._pace.check(self._site(address), meter)
        except TooFast as fast:
            self.refusals.count(fast.limit)
            raise Refused(str(fast), web.HTTPTooManyRequests, fast.after_s) from None

    def refused(
        self, limit: str, line: str, response: type[web.HTTPException] = web.HTTPBadRequest
    ) -> Refused:
        """Count that a limit was met; return the refusal."""
        self.refusals.count(limit)
        return Refused(line, response)

    def too_large(self) -> Refused:
        """Count that a body was too long; return the refusal."""
        line = f"the body is over {self.limits.body_bytes} bytes"
        return self.refused("body", line, web.HTTPRequestEntityTooLarge)

    def _unfit(self, unfit: Unfit) -> Refused:
        too_large = unfit.limit == "text"
        response = web.HTTPRequestEntityTooLarge if too_large else web.HTTPBadRequest
        return self.refused(unfit.limit, str(unfit), response)

    async def _publish(self, draft: Draft, address: str | None, meter: Meter | None) -> Entry:
        self.check_pace(address, meter)
        try:
            return await self._append(draft)
        except Away as away:
            raise Refused(str(away), web.HTTPServiceUnavailable) from None


PUBLISHING = web.AppKey("PUBLISHING", Publishing)


async def post_message(request: web.Request) -> web.Response:
    """Answer 201 with the message; 400, 413, 429 or 503 with what is wrong.

    After a 503, and when no answer comes at all, the message may be in the feed all the same. With
    a `"key"` of its own in it, it can be sent again: a key that the sender has used already gets
    the answer that the first message had, 201, and nothing is published, for as long as the first
    is in the history. Without one, who tries again risks that readers get it twice.
    """
    publishing = request.app[PUBLISHING]
    tally = request.app[STATS].publish
    try:
        try:
            body = await _read_body(request)
        finally:
            begin(request, tally)  # not before: what has arrived by now is counted with it
        entry = await publishing.publish_json(body, request.remote, meter_of(request))
    except Refused as refused:
        raise problem(refused.response, str(refused), refused.after_s) from None
    return web.Response(
        status=201, body=entry.json, content_type="application/json", headers=NO_STORE
    )


async def _read_body(request: web.Request) -> bytes:
    publishing = request.app[PUBLISHING]
    limits = publishing.limits
    try:
        async with asyncio.timeout(limits.body_s):
            return await request.read()
    except TimeoutError:
        line = f"the body took longer than {limits.body_s:g} s to arrive"
        raise publishing.refused("slow_requests", line, web.HTTPRequestTimeout) from None
    except web.HTTPRequestEntityTooLarge:
        raise publishing.too_large() from None


def _is_longer(body: bytes | str, most: int) -> bool:
    """Say whether a body has more bytes than `most`; of a text that could not have, cheaply."""
    if isinstance(body, bytes) or 4 * len(body) <= most:
        return len(body) > most
    return len(body.encode()) > most
