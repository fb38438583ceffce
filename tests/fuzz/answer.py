"""What the server answered over a connection, taken apart strictly: bytes that are no answer fail.

Heads and bodies as RFC 9112 has them, frames as RFC 6455 has a server's: not masked, whole, known.
"""

import re
from dataclasses import dataclass, field

HEAD = re.compile(rb"HTTP/[0-9]\.[0-9] ([0-9]{3}) [ -~]*\r\n((?:[!-9;-~]+: [ -~]*\r\n)*)\r\n")
TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
LENGTHS = {126: 2, 127: 8}


class Nonsense(Exception):
    """The server has sent what it never should."""


@dataclass
class Answer:
    """Statuses and bodies of HTTP answers; then the frames of a WebSocket, if it is one."""

    statuses: list[int] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    ended: str = "closed"

    @property
    def code(self) -> int | None:
        """The code of the close frame; None without one, or without a code."""
        payload = next((payload for opcode, payload in self.frames if opcode == CLOSE), b"")
        return int.from_bytes(payload[:2]) if payload else None

    @property
    def texts(self) -> list[bytes]:
        """The texts that a WebSocket brought."""
        return [payload for opcode, payload in self.frames if opcode == TEXT]

    @property
    def words(self) -> str:
        """How the server answered, in few words."""
        if self.statuses == [101]:
            return "closed without a code" if self.code is None else f"closed with {self.code}"
        if len(self.statuses) > 3:
            return "many answers"
        return ", ".join(map(str, self.statuses)) or f"no answer, {self.ended}"


def taken_apart(got: bytes, ended: str = "closed") -> Answer:
    """Return what was got as answers; raise Nonsense where it is none."""
    answer = Answer(ended=ended)
    while got:
        head = HEAD.match(got)
        if head is None:
            raise Nonsense(f"no head of an answer: {got[:80]!r}")
        got = got[head.end() :]
        if head[1] == b"100":
            continue  # the answer is to come
        answer.statuses.append(int(head[1]))
        if head[1] == b"101":
            _take_frames(answer, got)
            return answer
        size = _size(head)
        if len(got) < size:
            raise Nonsense(f"a body of {size} bytes has {len(got)}")
        answer.bodies.append(got[:size])
        got = got[size:]
    return answer


def _size(head: re.Match[bytes]) -> int:
    length = re.search(rb"(?i)^content-length: ([0-9]+)\r", head[2], re.MULTILINE)
    if length is None and head[1] not in {b"204", b"304"}:
        raise Nonsense(f"an answer without a length: {head[0]!r}")
    return int(length[1]) if length else 0


def _take_frames(answer: Answer, got: bytes) -> None:
    while got:
        if CLOSE in [opcode for opcode, _ in answer.frames]:
            raise Nonsense(f"something after the close: {got[:80]!r}")
        if len(got) < 2 or got[0] & 0x70 or not got[0] & 0x80 or got[1] & 0x80:
            raise Nonsense(f"no frame of a server: {got[:80]!r}")
        opcode, size, at = got[0] & 0xF, got[1], 2
        if wide := LENGTHS.get(size):
            size, at = int.from_bytes(got[2 : 2 + wide]), 2 + wide
        payload = got[at : at + size]
        if opcode not in {TEXT, CLOSE, PING, PONG} or len(payload) < size:
            raise Nonsense(f"no frame of a server: {got[:80]!r}")
        if opcode == TEXT and payload.decode(errors="replace").encode() != payload:
            raise Nonsense(f"a text that is not UTF-8: {payload[:80]!r}")
        answer.frames.append((opcode, payload))
        got = got[at + size :]
