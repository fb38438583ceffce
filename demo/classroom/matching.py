"""Find, for each request that a reader reports, what the server saw of it. No request is made up.

A page cannot see heads, so it cannot count bytes. The server can, and its stamps say which is
which.
"""

from collections.abc import Iterable, Iterator, Sequence

import msgspec

APART_NS = 250_000_000  # by so much a page's estimate of the server's clock may be wrong


class Asked(msgspec.Struct, frozen=True):
    """A request as its reader reports it: a row of `Reports.requests` without reader and mode."""

    started_ns: int
    ended_ns: int
    status: int
    messages: int
    connection: int


class Served(msgspec.Struct, frozen=True):
    """A poll as the server saw it: a row of `Lanes.served` without reader and mode."""

    begun_ns: int
    sent_ns: int
    status: int
    bytes_in: int
    bytes_out: int
    body_bytes: int


def match(asked: Iterable[Asked], served: Sequence[Served]) -> Iterator[tuple[Asked, int | None]]:
    """Yield one reader's requests, in order, each with its place in `served`; None if unknown."""
    place = 0
    for request in sorted(asked, key=lambda each: each.started_ns):
        while place < len(served) and served[place].sent_ns < request.started_ns - APART_NS:
            place += 1
        found = _same(request, served, place)
        if found is not None:
            place = found + 1
        yield request, found


def _same(request: Asked, served: Sequence[Served], place: int) -> int | None:
    if not request.status:  # no answer reached the reader, so nothing that was sent can be it
        return None
    while place < len(served) and served[place].begun_ns <= request.ended_ns + APART_NS:
        if served[place].status == request.status:
            return place
        place += 1
    return None
