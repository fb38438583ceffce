"""What RFC 6455 asks of a server, tried at every WebSocket: the cases that the Autobahn testsuite
has, in its order of sections, as far as they are for servers that take text alone.

`python -m tests.autobahn` runs that suite itself; docs/conformance.md says what came of it.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest

from tests.conftest import OpenWire, Server, Wire
from tests.fuzz.answer import CLOSE, PING, PONG, TEXT, taken_apart
from tests.fuzz.frames import BINARY, CONTINUATION, HANDSHAKE, LONGEST, close, frame
from tests.fuzz.requests import request

Words = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Place:
    """How a text is said there, and what is heard of it."""

    say: Words
    heard: Words


def as_it_is(text: bytes) -> bytes:
    return text


def draft(text: bytes) -> bytes:
    return b'{"sender":"ada","text":"%b"}' % text


def echo(text: bytes) -> bytes:
    return b'Server received your message: "%b"' % text


PLACES = {
    "/": Place(as_it_is, as_it_is),
    "/echo": Place(as_it_is, echo),
    "/ws": Place(draft, draft),
}


@dataclass(frozen=True)
class Case:
    """Frames that are sent, and what is answered: texts, pongs, the close. No code: ours, 1000."""

    frames: Sequence[bytes]
    texts: Sequence[bytes] = ()
    pongs: Sequence[bytes] = ()
    code: int | None = None


def one(text: bytes) -> Callable[[Place], Case]:
    return lambda place: Case([frame(TEXT, place.say(text))], [text])


def parts(text: bytes, size: int, *between: bytes) -> Callable[[Place], Case]:
    """Say a text in fragments of a size, with frames between the first two."""

    def make(place: Place) -> Case:
        said = place.say(text)
        pieces = [said[at : at + size] for at in range(0, len(said), size)]
        frames = [
            frame(CONTINUATION if n else TEXT, piece, fin=n == len(pieces) - 1)
            for n, piece in enumerate(pieces)
        ]
        return Case([frames[0], *between, *frames[1:]], [text], [b"?"] * len(between))

    return make


def fixed(
    *frames: bytes, pongs: Sequence[bytes] = (), code: int | None = None
) -> Callable[[Place], Case]:
    return lambda place: Case(frames, pongs=pongs, code=code)


def bad_text(payload: bytes, size: int = 0) -> Callable[[Place], Case]:
    def make(place: Place) -> Case:
        sound = parts(payload, size)(place) if size else one(payload)(place)
        return Case(sound.frames, code=1007)

    return make


PINGS = [b"", b"hello", b"\x00\xff\xfe", b"x" * 125]
WORDS = ["κόσμε", "Hello-µ@ßöäüàá-UTF-8!!", "\ud7ff\ue000\ufffd\U0010ffff", "😀" * 200]
NO_WORDS = [b"\xff", b"\xce\xba\xe1\xbd\xb9\xcf\x83\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80"]
NO_WORDS += [b"\xe2\x82", b"\x80", b"\xfe", b"\xf8\x88\x80\x80\x80", b"\xed\xbf\xbf"]
CODES = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
NO_CODES = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535]

SECTIONS: dict[str, list[Callable[[Place], Case]]] = {
    "1 framing": [
        *(one(b"*" * size) for size in (0, 1, 125, 126, 127, 128, 4096)),
        fixed(frame(TEXT, b"*", key=None), code=1002),
    ],
    "2 pings and pongs": [
        *(fixed(frame(PING, each), pongs=[each]) for each in PINGS),
        fixed(*[frame(PING, b"%d" % n) for n in range(10)], pongs=[b"%d" % n for n in range(10)]),
        fixed(frame(PONG, b"unasked"), frame(PING, b"!"), pongs=[b"!"]),
        fixed(frame(PING, b"x" * 126), code=1002),
    ],
    "3 reserved bits": [
        fixed(frame(opcode, b"", reserved=bits), code=1002)
        for opcode, bits in [(TEXT, n) for n in range(1, 8)] + [(PING, 4), (CLOSE, 4)]
    ],
    "4 opcodes": [
        fixed(frame(opcode, payload), code=1002)
        for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)
        for payload in (b"", b"x")
    ],
    "5 fragments": [
        fixed(frame(PING, b"x", fin=False), code=1002),
        fixed(frame(PONG, b"x", fin=False), code=1002),
        parts(b"fragment", 5),
        parts(b"fragment", 5, frame(PING, b"?")),
        parts(b"fragment", 1, *[frame(PING, b"?")] * 3),
        fixed(frame(CONTINUATION, b"x"), code=1002),
        fixed(frame(CONTINUATION, b"x", fin=False), code=1002),
        fixed(frame(TEXT, b"x", fin=False), frame(TEXT, b"x"), code=1002),
        fixed(frame(TEXT, b"x", fin=False), frame(BINARY, b"x"), code=1002),
    ],
    "6 UTF-8": [
        *(one(word.encode()) for word in WORDS),
        *(parts(word.encode(), size) for word in WORDS for size in (1, 3)),
        *(bad_text(each, size) for each in NO_WORDS for size in (0, 1, 3)),
    ],
    "7 closes": [
        fixed(close()),
        fixed(close(None), code=1000),
        fixed(close(), frame(PING, b"late"), frame(TEXT, b"late"), code=1000),
        fixed(frame(CLOSE, b"x"), code=1002),
        fixed(close(1000, b"x" * 123), code=1000),
        fixed(close(1000, b"x" * 124), code=1002),
        fixed(close(1000, "é".encode()[:1]), code=1007),
        *(fixed(close(code), code=code) for code in CODES),
        *(fixed(close(code), code=1002) for code in NO_CODES),
    ],
    "9 limits": [
        parts(b"x" * 4096, 64),
        parts(b"x" * 4096, 1000),
        fixed(frame(TEXT, b"x" * (LONGEST + 1)), code=1009),
        fixed(frame(TEXT, b"x" * LONGEST, fin=False), frame(CONTINUATION, b"x"), code=1009),
        fixed(frame(TEXT, claims=2**63), code=1009),
    ],
    "10 fragments of a network's size": [parts(b"x" * 4000, 1300)],
    "binary, which is not taken": [
        fixed(frame(BINARY, payload), code=1003) for payload in (b"", b"x" * 126)
    ],
}


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("section", SECTIONS)
async def test_a_websocket_conforms(
    server: Server, open_wire: OpenWire, section: str, path: str
) -> None:
    for number, make in enumerate(SECTIONS[section]):
        case = make(PLACES[path])
        is_short = sum(map(len, case.frames)) < 300
        for chop in (1 << 20, 1) if is_short and number < 5 else (1 << 20,):
            wire = await open_wire(server)
            await converse(wire, path, case, chop)
            check(wire.got, path, case)


async def converse(wire: Wire, path: str, case: Case, chop: int) -> None:
    """Say a case, in pieces; hear what is to come before we say goodbye; read to the end."""
    await wire.send(request(path, *HANDSHAKE))
    await wire.response()
    stream = b"".join(case.frames)
    for at in range(0, len(stream), chop):
        await wire.send(stream[at : at + chop])
    if case.code is None:
        for _ in range(len(case.texts) + len(case.pongs) + (path == "/ws")):
            await wire.frame()
        await wire.send(close())
    await wire.end()


def check(got: bytes, path: str, case: Case) -> None:
    answer = taken_apart(got)
    texts = answer.texts[path == "/ws" :]  # after the hello
    if path == "/ws":
        texts = [draft(json.loads(text)["text"].encode()) for text in texts]
    assert texts == [PLACES[path].heard(text) for text in case.texts]
    assert [payload for opcode, payload in answer.frames if opcode == PONG] == list(case.pongs)
    assert answer.code == (1000 if case.code is None else case.code)
