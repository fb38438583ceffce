"""Inputs by WebSocket that break the protocol, each answered with the code that says so."""

from random import Random

from tests.fuzz.case import Case
from tests.fuzz.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    LONGEST,
    PING,
    PONG,
    TEXT,
    close,
    fragments,
    frame,
)
from tests.fuzz.handshakes import text, upgraded, with_pings

BROKEN, NO_TEXT, TOO_BIG, NO_BINARY = 1002, 1007, 1009, 1003
BAD_UTF8 = (
    b"\xff", b"\xc0\xaf", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80",
    b"\xf0\x9f\x98", b"\xf8\x88\x80\x80\x80", b"\xc3\x28",
)  # fmt: skip
BAD_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


def unmasked(chance: Random) -> Case:
    """Frames without a mask, as only a server sends them."""
    opcode = chance.choice((TEXT, PING, CLOSE, BINARY))
    return upgraded(chance, [text(chance), frame(opcode, b"", key=None)], BROKEN)


def reserved(chance: Random) -> Case:
    """Bits that mean nothing without an extension."""
    bad = frame(chance.choice((TEXT, PING, CLOSE)), b"\x03\xe8", reserved=chance.randint(1, 7))
    return upgraded(chance, [text(chance), bad], BROKEN)


def opcodes(chance: Random) -> Case:
    """Kinds of frames that there are not."""
    payload = chance.randbytes(chance.choice((0, 3, 125)))
    bad = frame(chance.choice((3, 4, 5, 6, 7, 11, 12, 13, 14, 15)), payload)
    return upgraded(chance, [text(chance), bad], BROKEN)


def controls(chance: Random) -> Case:
    """Control frames that are too long, or in fragments."""
    opcode = chance.choice((CLOSE, PING, PONG))
    size = chance.choice((126, 127, 65_535, 65_536))
    bad = chance.choice((frame(opcode, b"\x03\xe8" * (size // 2)), frame(opcode, b"", fin=False)))
    return upgraded(chance, [bad], BROKEN)


def order(chance: Random) -> Case:
    """Fragments of nothing, and messages among fragments."""
    begun = [frame(TEXT, b"a", fin=False), frame(PING, b"b")]
    bad = chance.choice(
        ([frame(CONTINUATION, b"x", fin=chance.random() < 0.5)], [*begun, frame(BINARY, b"x")])
    )
    return upgraded(chance, [text(chance), *bad], BROKEN)


def bad_utf8(chance: Random) -> Case:
    """Texts that are not UTF-8, whose wrong bytes a border of fragments may cut in two."""
    payload = "é".encode() * chance.randint(0, 40) + chance.choice(BAD_UTF8)
    payload += b"x" * chance.choice((0, 0, 5))
    frames = fragments(chance, TEXT, payload, chance.randint(1, 9))
    return upgraded(chance, [text(chance), *with_pings(chance, frames)], NO_TEXT)


def bad_closes(chance: Random) -> Case:
    """Closes with codes that may not be said, half a code, or a reason that is not UTF-8."""
    if chance.random() < 0.2:
        return upgraded(chance, [frame(CLOSE, b"\x03\xe8" + chance.choice(BAD_UTF8))], NO_TEXT)
    bad = chance.choice((close(chance.choice(BAD_CODES), b"x"), frame(CLOSE, b"\x03")))
    return upgraded(chance, [text(chance), bad], BROKEN)


def too_long(chance: Random) -> Case:
    """Messages longer than the server takes, at once or by and by, or only said to be."""
    claims = chance.choice((LONGEST + 1, 2**31, 2**32, 2**62, 2**63, 2**64 - 1))
    piece = frame(CONTINUATION, b"x" * 9000, fin=False)
    bad = chance.choice(
        ([frame(TEXT, b"", claims=claims)], [frame(BINARY, b"x", fin=False), *[piece] * 9])
    )
    return upgraded(chance, bad, TOO_BIG)


def binary(chance: Random) -> Case:
    """Messages that are no text."""
    frames = fragments(chance, BINARY, chance.randbytes(200), chance.randint(1, 5))
    return upgraded(chance, [*frames, close()], NO_BINARY, ["/ws", "/", "/ws?reader=fuzz"])
