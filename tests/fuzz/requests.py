"""Inputs by HTTP, the heads: each kind makes a request with something wrong in it, and a last one.

The last one is answered 404 and closes the connection, unless the first has already.
"""

from random import Random

from tests.fuzz import bodies
from tests.fuzz.answer import Answer
from tests.fuzz.case import CUTS, HALF, WAITS, Case, split, statuses
from tests.fuzz.numbers import number, quoted

READABLE = frozenset({200, 204, 400, 410})
POLLS = ("/short-poll", "/long-poll")
PATHS = (
    "/", "/stats", "/class", "/class/clock", "/class/tallies?readers=fuzz", "/class/wire?reader=x",
    "/short-poll", "/nowhere", "/echo", "/ws", "/handout",
)  # fmt: skip
HOLDS = ("0", "0.001", "-1", "x", "1e-9", "121", "1_0", "٣", "nan", "1e400", "")
METHODS = ("GET", "get", "OPTIONS", "", "G\x00T", "CONNECT", "TRACE", "É", "A" * 9000, "PRI", "PUT")
VERSIONS = (
    "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.10", "http/1.1", "HTTP/-1.1", "",
    "HTTP/1.1 x", "HTTP/9999999999.1",
)  # fmt: skip
TARGETS = (
    "/", "*", "//", "/../../etc/passwd", "http://127.0.0.1/stats", "http://[", "/%", "/%00",
    "/\x7f", "stats", "/" * 3000, "/" + "a" * 9000, "?after=1", "/short-poll?" + "&" * 5000,
    "host:80", "/é", "/ x", "", "/short-poll?after=0#x", "/page/../app.py",
    "/page/%2e%2e/app.py", "/\ud800",
)  # fmt: skip
HEADERS = (
    "no colon", ": no name", "Na me: x", "Name : x", "\tX: y", "X:\x00", "X: \x7f", "X: é", "Ø: x",
    " folded", "X: " + "y" * 8170, "X: " + "y" * 9000, "Expect: 100-continue", "Expect: x",
    "Connection: x, close", "Upgrade: h2c", "Upgrade: websocket", "Content-Length:",
    "Cookie: " + "a=b;" * 900, "Range: bytes=0-", "Range: bytes=9-1,-1", "X: y\rZ: w", "X: y\nZ: w",
    'If-None-Match: "', "If-Modified-Since: x", "Accept-Encoding: \xff", "Authorization: Bearer é",
    "X" * 9000 + ": y",
)  # fmt: skip
NAMES = (
    "", "127.0.0.1", "localhost:3001", "a b", "[", "[::1]:x", "é", "\x7f", "http://x", "x" * 5000,
    "@", "0:99999999", "evil.example", "127.0.0.1.evil.example", "xn--", "%", "\x00",
)  # fmt: skip


def request(
    target: str, *headers: str, method: str = "GET", body: bytes | None = None, line: str = ""
) -> bytes:
    """Return a request as it should be, but for what is given."""
    head = [line or f"{method} {target} HTTP/1.1", *headers]
    if not any(each.startswith("Host:") for each in headers):
        head.insert(1, "Host: 127.0.0.1")
    if body is not None:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode("utf-8", "surrogatepass") + (body or b"")


LAST = request("/nowhere", "Connection: close")
CLOSED = frozenset({404})


def known(answer: Answer) -> bool:
    """Every request has an answer below 500, until one closes the connection."""
    return 1 <= len(answer.statuses) <= 3


def queries(chance: Random) -> Case:
    """Polls with numbers that are none, huge or negative, given twice or not at all."""
    fields = [f"after={number(chance)}"] * chance.choice((0, 1, 1, 1, 2))
    fields += [f"epoch={number(chance)}"] * chance.choice((0, 0, 1))
    fields += [f"hold_s={chance.choice(HOLDS)}"]
    fields += [f"reader={chance.choice(('fuzz', '', 'ü', 'x' * 41, '-'))}"] * chance.choice((0, 1))
    chance.shuffle(fields)
    target = f"{chance.choice(POLLS)}?{'&'.join(map(quoted, fields))}"
    pieces = split(chance, request(target) + LAST, chance.choice((1, 2)))
    is_held = not any(each.startswith("hold_s=") and each[7:] for each in fields)
    return Case(pieces, HALF) if is_held else Case(pieces, wants=statuses(READABLE, CLOSED))


def held(chance: Random) -> Case:
    """Long polls that are held while their reader goes away."""
    target = f"/long-poll?hold_s={chance.choice(('120', '1e2', '25', '100.5'))}"
    target += chance.choice(("", "&reader=fuzz"))
    return Case([request(target)], chance.choice((HALF, CUTS)))


def lines(chance: Random) -> Case:
    """Request lines: odd methods, targets and versions."""
    words = chance.choice(METHODS[:1] * 3 + METHODS), chance.choice(TARGETS)
    line = " ".join((*words, chance.choice(VERSIONS[:1] * 3 + VERSIONS)))
    return Case(split(chance, request("", line=line) + LAST, chance.choice((1, 2, 9))), WAITS)


def headers(chance: Random) -> Case:
    """Headers: floods, long ones, names and values that are none, lines that are folded."""
    flood = [f"X-{each}: y" for each in range(chance.choice((0, 0, 10, 120, 130, 3000)))]
    stream = request(chance.choice(PATHS), *flood, *chance.choices(HEADERS, k=chance.randint(0, 2)))
    return Case(split(chance, stream + LAST, chance.choice((1, 3))), WAITS)


def hosts(chance: Random) -> Case:
    """The Host, and an Origin: missing, twice, and such that are none."""
    given = [f"Host: {each}" for each in chance.choices(NAMES, k=chance.choice((1, 1, 2)))]
    origins = ("null", f"http://{chance.choice(NAMES)}", chance.choice(NAMES))
    given += [f"Origin: {each}" for each in chance.choices(origins, k=chance.randint(0, 2))]
    if chance.random() < 0.5:
        return Case([request(chance.choice(PATHS), *given) + LAST], wants=known)
    stream = request("/messages", *given, method="POST", body=bodies.draft(chance))
    return Case([stream + LAST], wants=known)
