"""Find the frames in what a server sends after an upgrade: their sizes, and when each was here.

Source: RFC 6455, section 5.2. Several frames may arrive at once, and the reader sees them later.
No network here.
"""

import os
from collections import deque

import msgspec

HEAD_END = b"\r\n\r\n"
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA


class Frame(msgspec.Struct, frozen=True):
    """One frame as it was on the wire; `arrived_ns` is when its last byte was here."""

    head_bytes: int
    payload_bytes: int
    arrived_ns: int


class Frames:
    """Cut a stream into the answer's head and frames.

    head_bytes: the 101 with all its headers; waiting: frames that nobody has taken yet
    """

    def __init__(self) -> None:
        self.head_bytes = 0
        self.waiting: deque[Frame] = deque()
        self._buffer = bytearray()

    def received(self, data: bytes, arrived_ns: int) -> None:
        """Take the next bytes of the stream."""
        self._buffer += data
        if not self.head_bytes:
            self.head_bytes = self._buffer.find(HEAD_END) + len(HEAD_END)
            if self.head_bytes < len(HEAD_END):
                self.head_bytes = 0
                return
            del self._buffer[: self.head_bytes]
        while (frame := self._cut(arrived_ns)) is not None:
            self.waiting.append(frame)

    def _cut(self, arrived_ns: int) -> Frame | None:
        found = measure(self._buffer)
        if found is None:
            return None
        del self._buffer[: sum(found)]
        return Frame(*found, arrived_ns)


def measure(data: bytes | bytearray, at: int = 0) -> tuple[int, int] | None:
    """Return the bytes of the head and the payload of the frame `at`, None until all are there."""
    there = len(data) - at
    if there < 2:
        return None
    short = data[at + 1] & 0x7F  # no mask: a server sends none
    head = 2 if short < 126 else 4 if short == 126 else 10
    if there < head:
        return None
    payload = short if head == 2 else int.from_bytes(data[at + 2 : at + head])
    return (head, payload) if there >= head + payload else None


def text_frame(payload: bytes) -> bytes:
    """Frame a text of up to 64 KiB as a server does, for a server that stands in for one."""
    size = len(payload)
    return (bytes((0x81, size)) if size <= 125 else b"\x81\x7e" + size.to_bytes(2)) + payload


def masked(opcode: int, payload: bytes) -> bytes:
    """Frame up to 125 bytes as a client must: whole, and masked (section 5.3)."""
    key = os.urandom(4)
    body = bytes(byte ^ key[n % 4] for n, byte in enumerate(payload))
    return bytes((0x80 | opcode, 0x80 | len(payload))) + key + body
