"""Bodies for publishing: JSON of the wrong kind, at its limits, and none."""

import json
from random import Random

from tests.fuzz.numbers import number

TAKEN_OR_NOT = frozenset({201, 400, 413})
WORDS = ("", "a", "é", "😀", "\u2028", "<b>", "=1+1", "\x00", "\x1b[2J", "\x7f", "\ufffe", "\r\n")
LONG = (63, 64, 65, 4095, 4096, 4097, 30_000)
FIELDS = ("sender", "text", "sent_ns", "key", "id", "__class__", "")


def body(chance: Random) -> bytes:
    """Return a body that may be a draft, or anything else."""
    return chance.choice((_fields, _fields, _value, _deep, _text, _noise, _big))(chance)


def draft(chance: Random) -> bytes:
    """Return a draft that is taken."""
    return json.dumps({"sender": "fuzz", "text": f"text {chance.getrandbits(32)} é"}).encode()


def _fields(chance: Random) -> bytes:
    names = chance.choices(FIELDS, k=chance.randint(0, 4))
    names += ["sender", "text"] * (chance.random() < 0.8)
    fields = [f'"{name}": {_json(chance)}' for name in names]
    chance.shuffle(fields)
    return ("{" + ", ".join(fields) + "}").encode("utf-8", "surrogatepass")


def _value(chance: Random) -> bytes:
    return _json(chance).encode("utf-8", "surrogatepass")


def _json(chance: Random) -> str:
    strange = ('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"', '"\\x"', '"\t"', '"', "[1,]", "{,}")
    match chance.randrange(8):
        case 0:
            return number(chance)
        case 1:
            return chance.choice(strange)
        case 2:
            return json.dumps(chance.choice(WORDS) * chance.choice(LONG))
        case 3:
            return chance.choice(
                ("null", "true", "[]", "{}", '{"a": 1}', "-", "tru", "//", "\ud800")
            )
        case _:
            return json.dumps("".join(chance.choices(WORDS[1:7], k=chance.randint(1, 20))))


def _deep(chance: Random) -> bytes:
    depth = chance.choice((10, 500, 5000, 12_000))
    opening, closing = chance.choice((("[", "]"), ('{"a":', "}"), ('{"text":', "}")))
    return (opening * depth + "1" * chance.randint(0, 1) + closing * depth).encode()[:25_000]


def _text(chance: Random) -> bytes:
    names = ("utf-16", "utf-32", "utf-8-sig", "latin-1", "cp500")
    return '{"sender": "fuzz", "text": "é"}'.encode(chance.choice(names))


def _noise(chance: Random) -> bytes:
    return chance.randbytes(chance.choice((0, 1, 2, 30, 3000)))


def _big(chance: Random) -> bytes:
    size = chance.choice((25_599, 25_600, 25_601, 70_000, 300_000))
    return b'{"sender": "fuzz", "text": "' + b"x" * size + b'"}'
