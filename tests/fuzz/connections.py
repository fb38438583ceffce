"""Inputs by HTTP, the connection: sent in pieces, in one, spoilt, half, and not to the end."""

from random import Random

from tests.fuzz import bodies
from tests.fuzz.case import CUTS, HALF, WAITS, Case, split, spoilt, statuses
from tests.fuzz.frames import HANDSHAKE
from tests.fuzz.requests import CLOSED, LAST, request

FRESH = (200, 204, 410)
UPGRADES = (
    ("Upgrade: websocket", ("Upgrade: WebSocket, h2c", "Upgrade: h2c", "Upgrade:", "X: y")),
    ("Connection: Upgrade", ("Connection: close", "Connection: ,", "X: y", "Connection: Upgrad")),
    ("Sec-WebSocket-Version: 13", ("Sec-WebSocket-Version: 8", "Sec-WebSocket-Version: 13, 8")),
    (
        HANDSHAKE[-1],
        ("Sec-WebSocket-Key: ", "Sec-WebSocket-Key: é", f"Sec-WebSocket-Key: {'A' * 8000}", "X: y"),
    ),
)
EXTRAS = (
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    'Sec-WebSocket-Extensions: x;;;,,"', "Sec-WebSocket-Protocol: a, b, é", "Content-Length: 3",
    "Transfer-Encoding: chunked", "Origin: http://[", "Origin: null", "Sec-WebSocket-Key: again",
)  # fmt: skip


def noise(chance: Random) -> Case:
    """Bytes that are nothing."""
    stream = chance.randbytes(chance.choice((1, 10, 1000, 100_000)))
    if chance.random() < 0.3:
        stream = bytes(each & 0x7F for each in stream)
    return Case(split(chance, stream, chance.choice((1, 2))), WAITS)


def altered(chance: Random) -> Case:
    """Requests as they should be, with a few bytes changed, lost or added."""
    stream = b"".join(_one(chance)[0] for _ in range(chance.randint(1, 4)))
    return Case(split(chance, spoilt(chance, stream), chance.choice((1, 2, 9))), WAITS)


def pipelined(chance: Random) -> Case:
    """Requests that do not wait for answers, in one piece."""
    asked = [_one(chance) for _ in range(chance.choice((2, 5, 30)))]
    stream = b"".join(each for each, _ in asked) + LAST
    return Case([stream], wants=statuses(*(wanted for _, wanted in asked), CLOSED))


def in_pieces(chance: Random) -> Case:
    """Requests cut anywhere, down to a byte at a time."""
    asked = [_one(chance) for _ in range(chance.randint(1, 3))]
    stream = b"".join(each for each, _ in asked) + LAST
    return Case(split(chance, stream), wants=statuses(*(wanted for _, wanted in asked), CLOSED))


def half(chance: Random) -> Case:
    """Requests after which, or in the midst of which, the client says that it is done."""
    stream = b"".join(_one(chance)[0] for _ in range(chance.randint(1, 3)))
    if chance.random() < 0.7:
        stream = stream[: chance.randint(1, len(stream))]
    return Case(split(chance, stream, 1), HALF)


def cut(chance: Random) -> Case:
    """Requests in the midst of which, or of the answers, the connection is reset."""
    stream = b"".join(_one(chance)[0] for _ in range(chance.choice((1, 3, 50))))
    return Case(split(chance, stream[: chance.randint(1, len(stream))], 1), CUTS)


def upgrades(chance: Random) -> Case:
    """Handshakes for a WebSocket that lack something, or have something more."""
    wrong = chance.randrange(len(UPGRADES))
    given = [
        chance.choice(others) if number == wrong and chance.random() < 0.8 else usual
        for number, (usual, others) in enumerate(UPGRADES)
    ]
    given += chance.choices(EXTRAS, k=chance.choice((0, 1, 2)))
    method, version = chance.choice((("GET", "1.1"),) * 3 + (("POST", "1.1"), ("GET", "1.0")))
    path = chance.choice(("/ws", "/", "/echo", "/ws?reader=fuzz", "/long-poll", "/messages", "/x"))
    stream = request("", *given, line=f"{method} {path} HTTP/{version}")
    return Case(split(chance, stream, chance.choice((1, 2))), WAITS)


def _one(chance: Random) -> tuple[bytes, frozenset[int]]:
    """Return a request as it should be, and how it may be answered."""
    match chance.randrange(5):
        case 0:
            return request("/stats"), frozenset({200})
        case 1:
            return request("/messages", method="POST", body=bodies.draft(chance)), frozenset({201})
        case 2:
            return request("/nowhere"), frozenset({404})
        case 3:
            target = f"/long-poll?after={chance.randint(0, 9)}&hold_s=0"
            return request(target), frozenset(FRESH)
        case _:
            return request(f"/short-poll?after={chance.randint(0, 9)}"), frozenset(FRESH)
