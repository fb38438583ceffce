"""Inputs by HTTP, the bodies: what they say, how long they claim to be, and how they are cut."""

import json
from random import Random

from tests.fuzz import bodies
from tests.fuzz.answer import Answer
from tests.fuzz.case import CUTS, WAITS, Case, split, statuses
from tests.fuzz.requests import CLOSED, LAST, known, request

TAKEN = statuses(201, CLOSED)
OF_CLASS = {
    "/class/reports": ("reader", "mode", "number", "requests", "deliveries", "clock_error_ms"),
    "/class/guesses": ("reader", "answers"),
    "/class/settings": ("interval_s", "hold_s", "rtt_ms", "stage", "cursor", "x"),
    "/class/run": ("seconds", "chatter"),
    "/class/readers/fuzz/line": ("cut_s", "stall_s", "slow_bytes_per_s"),
    "/class/restart": ("x",),
}
TOKENS = ("Bearer fuzz", "Bearer x", "Bearer", "Basic é", "", "bearer fuzz fuzz", "Bearer \x7f")
SIZES = (
    "0", "00", "-1", "+1", "1e1", "0x5", "5, 5", "5, 6", " 5", "5 ", "", "٣", "9" * 30, "9" * 5000,
    str(2**63), "1_0", "\x0b5", "4294967297",
)  # fmt: skip
CHUNKS = (
    "-1", "+5", "0x5", "5 ", " 5", "5;", "5;x=y", '5;x="\r\n"', "5;" + "x" * 9000, "g", "", "\x005",
    "ffffffffffffffff", "f" * 17, "1" + "0" * 200, "00000005", "5\n", "٣", "5_0", "7fffffff",
)  # fmt: skip
CODINGS = (
    "chunked", "Chunked", "chunked, chunked", "gzip, chunked", "chunked, gzip", "gzip", "identity",
    "xchunked", "", "\x0bchunked", "chunked;q=1", "é",
)  # fmt: skip


def drafts(chance: Random) -> Case:
    """Bodies to publish: not JSON, deep, of the wrong type, at the limits."""
    stream = request("/messages", method="POST", body=bodies.body(chance))
    return Case(split(chance, stream + LAST, chance.choice((1, 2, 5))), wants=_taken_or_not)


def class_bodies(chance: Random) -> Case:
    """The same to the class, with a teacher's token and without."""
    path = chance.choice(list(OF_CLASS))
    token = "Bearer x" if path == "/class/restart" else chance.choice(TOKENS)
    body = bodies.body(chance) if chance.random() < 0.4 else _of_class(chance, path)
    stream = request(path, f"Authorization: {token}", method="POST", body=body)
    return Case([stream + LAST], wants=known)


def lengths(chance: Random) -> Case:
    """Bodies that are shorter or longer than they say, or say nonsense."""
    body = bodies.draft(chance)
    said = chance.choice((*SIZES, str(len(body) + chance.randint(-9, 9)), str(10**6)))
    more = [f"Content-Length: {chance.choice(SIZES)}"] * chance.choice((0, 0, 1))
    more += [f"Transfer-Encoding: {chance.choice(CODINGS)}"] * chance.choice((0, 0, 1))
    stream = request("/messages", f"Content-Length: {said}", *more, method="POST") + body
    return Case(
        split(chance, stream, chance.choice((1, 2, 20))), chance.choice((WAITS, WAITS, CUTS))
    )


def chunked(chance: Random) -> Case:
    """Bodies in chunks as they may be."""
    stream = _in_chunks(chance, bodies.draft(chance), "chunked")
    return Case(split(chance, stream + LAST), wants=TAKEN)


def bad_chunks(chance: Random) -> Case:
    """Bodies in chunks with sizes, ends, trailers and codings that are none."""
    stream = _in_chunks(chance, bodies.draft(chance), chance.choice(("chunked", *CODINGS)))
    size = f"\r\n{chance.choice(CHUNKS)}\r\n".encode("utf-8", "surrogatepass")
    at = chance.choice([i for i in range(len(stream)) if stream.startswith(b"\r\n", i)])
    stream = stream[:at] + chance.choice((size, b"\n", b"\r", b"\r\n\r\n", b"")) + stream[at + 2 :]
    return Case(
        split(chance, stream, chance.choice((1, 2, 20))), chance.choice((WAITS, WAITS, CUTS))
    )


def _in_chunks(chance: Random, body: bytes, coding: str) -> bytes:
    head = request("/messages", f"Transfer-Encoding: {coding}", method="POST")
    pieces = split(chance, body, chance.choice((1, 3, len(body))))
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + chunks + b"0\r\n" + chance.choice((b"", b"Trailer: x\r\n")) + b"\r\n"


def _taken_or_not(answer: Answer) -> bool:
    # Too large a body is not read to its end: the connection is closed.
    return answer.statuses == [413] or statuses(bodies.TAKEN_OR_NOT, CLOSED)(answer)


def _of_class(chance: Random, path: str) -> bytes:
    huge: object = chance.choice((0, 1, -1, 2**31, 2**62, 2**63, 1e308, "x", None, [], {}))
    row = [chance.choice((0, 1, huge)) for _ in range(chance.choice((3, 4, 5, 6)))]
    values = {
        "reader": chance.choice(("fuzz", "nobody", "", "\n", huge)),
        "mode": chance.choice(("short", "long", "ws", huge)),
        "requests": [row] * chance.choice((0, 1, 1001)),
        "deliveries": [row] * chance.choice((0, 1, 1001)),
        "answers": {"latency_ms": huge, "fewest_bytes": huge},
        "seconds": chance.choice((4, 301, huge)),
        "cut_s": chance.choice((0, -1, 121, None)),
        "stall_s": chance.choice((0, -1, "x")),
    }
    fields = OF_CLASS[path]
    names = chance.sample(fields, chance.randint(1, len(fields)))
    return json.dumps({name: values.get(name, huge) for name in names}).encode()
