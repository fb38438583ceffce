"""A reader's query, parsed once: `after`, `epoch` and `hold_s`. Bad values become a 400."""

import math
import re

import msgspec
from aiohttp import web

from demo.lines import printable
from demo.message import MAX_CURSOR, Problem, encode

DEFAULT_HOLD_S = 25.0
MAX_HOLD_S = 120.0
NO_STORE = {"Cache-Control": "no-store"}
RETRY_AFTER_S = 1  # what is away, or asked too fast, is asked for again by then


def problem(
    response: type[web.HTTPException], line: str, after_s: float = RETRY_AFTER_S
) -> web.HTTPException:
    """Make a refusal whose body is one line of JSON that says what to do.

    after_s: when it may go well, if it is one of those that may: 429 and 503
    """
    sizes = (0, 0) if issubclass(response, web.HTTPRequestEntityTooLarge) else ()
    later = issubclass(response, web.HTTPServiceUnavailable | web.HTTPTooManyRequests)
    retry = {"Retry-After": str(max(RETRY_AFTER_S, math.ceil(after_s)))}
    headers = NO_STORE | (retry if later else {})
    text = encode(Problem(printable(line))).decode()  # it may quote what was sent
    refusal = response(*sizes, text=text, content_type="application/json", headers=headers)
    if issubclass(response, web.HTTPRequestEntityTooLarge | web.HTTPForbidden):
        refusal.force_close()  # the rest of a body that nobody reads is no request
    return refusal


# As our own clients write it. To read it so takes a sixth of what aiohttp's way takes, which is a
# good part of an empty poll; all else is read in aiohttp's way.
USUAL = re.compile(
    r"[^?]+\?after=([0-9]{1,15})(?:&epoch=([0-9A-Za-z-]+))?(?:&hold_s=([0-9]{1,2}))?", re.ASCII
)


class Reader(msgspec.Struct, frozen=True):
    """Where a reader stands: its cursor (None: at the head) and the epoch it knows (or None).

    hold: how long it wants a poll to be held, as it says it
    """

    cursor: int | None
    epoch: str | None
    hold: str | None = None


def reader(request: web.Request) -> Reader:
    """Read `after`, `epoch` and `hold_s`; raise a 400 when `after` is not a cursor."""
    if usual := USUAL.fullmatch(request.raw_path):
        return Reader(int(usual[1]), usual[2], usual[3])
    query = request.query
    after = query.get("after")
    cursor = None if after is None else _cursor(after)
    return Reader(cursor, query.get("epoch"), query.get("hold_s"))


def hold_s(text: str | None) -> float:
    """Read a reader's `hold`; raise a 400 when it is not a number of seconds from 0 to 120."""
    if text is None:
        return DEFAULT_HOLD_S
    try:
        # float would also take 1_0 and other alphabets' digits.
        hold = float(text) if text.isascii() and "_" not in text else math.nan
    except ValueError:
        hold = math.nan
    if not 0 <= hold <= MAX_HOLD_S:
        line = f"hold_s must be a number of seconds from 0 to {MAX_HOLD_S:g}, not {text[:40]!r}"
        raise problem(web.HTTPBadRequest, line)
    return hold


def _cursor(text: str) -> int:
    # isdecimal alone would let other alphabets' digits in; the length keeps int() cheap.
    if text.isascii() and text.isdecimal() and len(text) <= 16 and int(text) <= MAX_CURSOR:
        return int(text)
    line = f"after must be an integer from 0 to {MAX_CURSOR}, not {text[:40]!r}"
    raise problem(web.HTTPBadRequest, line)
