"""Split the bytes of a delivery into what they are, none left out and none counted twice.

Pure: what cannot be told is kept under the name of what it should have been.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

import msgspec

from clients.log import Exchange

LINE_END = b"\r\n"
SWITCHED = b"HTTP/1.1 101 "
MESSAGES = b'"messages":['
TEXT = re.compile(rb'(?<="text":")(?:[^"\\]|\\.)*(?=")', re.DOTALL)
OPCODES = {0: "continued", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong"}


class Part(msgspec.Struct, frozen=True):
    """Neighbouring bytes with one purpose.

    group: of what they are a part: request head, response head, handshake, envelope, frame head,
        message, text. The text is the part of a message that a person wrote
    """

    name: str
    group: str
    data: bytes


class Ledger(msgspec.Struct, frozen=True):
    """All parts of an exchange, in the order in which they were on the socket."""

    up: tuple[Part, ...]
    down: tuple[Part, ...]

    def bytes_of(self, *groups: str) -> int:
        """Count the bytes of some groups; of all when none is named."""
        return sum(
            len(part.data) for part in (*self.up, *self.down) if not groups or part.group in groups
        )


def split(exchange: Exchange) -> Ledger:
    """Split both directions of an exchange."""
    up, down = exchange.up.encode("latin-1"), exchange.down.encode("latin-1")
    if down.startswith(SWITCHED):
        asked, after_up = _head(up, "request line", "handshake")
        answered, after_down = _head(down, "status line", "handshake")
        rest = (_frames(after_up, hello=False), _frames(after_down, hello=True))
    else:
        asked, after_up = _head(up, "request line", "request head")
        answered, after_down = _head(down, "status line", "response head")
        rest = (_body(after_up), _body(after_down))
    return Ledger((*asked, *rest[0]), (*answered, *rest[1]))


def _head(data: bytes, first: str, group: str) -> tuple[list[Part], bytes]:
    """Return a part for each line of an HTTP head (RFC 9112, section 2.1), and what follows."""
    end = data.find(2 * LINE_END)
    head = data[:end] if end >= 0 else data
    lines = head.split(LINE_END)
    ended = [line + LINE_END for line in lines] if end >= 0 else [data]
    names = [first, *(line.partition(b":")[0].decode("latin-1") for line in lines[1:])]
    parts = [Part(*each) for each in zip(names, [group] * len(names), ended, strict=False)]
    if end < 0:
        return [part for part in parts if part.data], b""
    return [*parts, Part("blank line", group, LINE_END)], data[end + 2 * len(LINE_END) :]


def _body(data: bytes) -> Iterator[Part]:
    """Yield a poll's body: the envelope that names epoch and cursor, and the messages in it."""
    start, end = data.find(MESSAGES) + len(MESSAGES), data.rfind(b"]")
    if not len(MESSAGES) <= start <= end:
        start = end = len(data)
    yield from _part("envelope", "envelope", data[:start])
    yield from _messages(data[start:end])
    yield from _part("envelope", "envelope", data[end:])


def _messages(data: bytes) -> Iterator[Part]:
    """Yield messages' JSON with each text by itself; all as message when there is no text."""
    done = 0
    for text in TEXT.finditer(data):
        yield from _part("id, sender", "message", data[done : text.start()])
        yield from _part("text", "text", text[0])
        done = text.end()
    yield from _part("stamps" if done else "message", "message", data[done:])


def _part(name: str, group: str, data: bytes) -> Iterator[Part]:
    if data:
        yield Part(name, group, data)


class _Frame(NamedTuple):
    """Where a frame's parts end, and what it carries."""

    carries: str
    form: int
    head: int
    mask: int
    end: int


def _frames(data: bytes, *, hello: bool) -> Iterator[Part]:
    """Yield each frame's head, mask and payload; the first text that is a `hello` is handshake."""
    while frame := _frame(data):
        greets = hello and frame.carries == "text"
        kind = "hello" if greets else frame.carries
        group = "handshake" if greets else "frame head"
        yield Part(
            f"{'hello ' * greets}frame head, {frame.form}-bit length", group, data[: frame.head]
        )
        yield from _part("mask", group, data[frame.head : frame.mask])
        payload = data[frame.mask : frame.end]
        yield from _messages(payload) if kind == "text" else _part(kind, group, payload)
        hello = hello and not greets
        data = data[frame.end :]
    yield from _part("unfinished frame", "frame head", data)


def _frame(data: bytes) -> _Frame | None:
    """Measure the first frame; None when it is not all there. RFC 6455, section 5.2.

    The second byte says in 7 bits how long the payload is; 126 says that 16 bits follow which do,
    127 that 64 do. Its highest bit says that 4 bytes of mask follow.
    """
    if len(data) < 2:
        return None
    length, form = data[1] & 0x7F, 7
    if length > 125:
        form = 16 if length == 126 else 64
        length = int.from_bytes(data[2 : 2 + form // 8], "big")
    head = 2 + (form // 8 if form > 7 else 0)
    mask = head + (4 if data[1] & 0x80 else 0)
    if len(data) < mask + length:
        return None
    carries = OPCODES.get(data[0] & 0x0F, "reserved")
    return _Frame(carries, form, head, mask, mask + length)
