"""Find the frames in what a server sends after an upgrade: their sizes, and when each was here.

Source: RFC 6455, section 5.2. Several frames may arrive at once, and the reader sees them later.
No network here.
"""

from collections import deque

import msgspec

HEAD_END = b"\r\n\r\n"


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
        if len(self._buffer) < 2:
            return None
        short = self._buffer[1] & 0x7F  # no mask: a server sends none
        wide = {126: 2, 127: 8}.get(short, 0)
        head = 2 + wide
        if len(self._buffer) < head:
            return None
        payload = int.from_bytes(self._buffer[2:head]) if wide else short
        if len(self._buffer) < head + payload:
            return None
        del self._buffer[: head + payload]
        return Frame(head, payload, arrived_ns)
