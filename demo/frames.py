"""WebSocket frames as a server sends and takes them. No network here.

Source: RFC 6455, sections 5.2 to 5.5. aiohttp builds the same text frames, but once for every
recipient; the feed builds them once for all.
"""

from collections.abc import Iterator
from struct import pack

TEXT = 0x81  # FIN set, opcode 1
CONTINUATION, TEXT_CODE, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
PROTOCOL_ERROR, BAD_TEXT, TOO_BIG = 1002, 1007, 1009  # section 7.4.1
OPCODES = frozenset({CONTINUATION, TEXT_CODE, BINARY, CLOSE, PING, PONG})
WIDE = {126: 2, 127: 8}  # bytes of length beyond the first


def text_frame(payload: bytes) -> bytes:
    """Frame `payload`, which must be UTF-8, with the shortest of the three length forms."""
    size = len(payload)
    if size <= 125:
        head = pack("!BB", TEXT, size)
    elif size <= 0xFFFF:
        head = pack("!BBH", TEXT, 126, size)
    else:
        head = pack("!BBQ", TEXT, 127, size)
    return head + payload


class Broken(Exception):
    """A peer broke the protocol; `code` is what the connection is to be closed with."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Frames:
    """Take what a client sends apart, into whole messages and control frames.

    Fragments are joined (section 5.4), and masks taken off (5.3). Nothing longer than `longest`
    bytes is kept.
    """

    __slots__ = ("_kind", "_needed", "_parts", "_rest", "longest")

    def __init__(self, longest: int) -> None:
        self.longest = longest
        self._rest: bytearray | None = None  # an idle socket keeps none
        self._needed = 2  # bytes that the rest must have before it is worth a look
        self._kind = CONTINUATION  # of the message whose fragments are coming
        self._parts: bytearray | None = None

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """Yield opcode and payload of each message and control frame that is there whole now.

        Raises Broken.
        """
        rest = bytearray() if self._rest is None else self._rest
        rest += data  # in place: a frame that dribbles in is not copied for each byte
        start = 0
        while len(rest) - start >= self._needed:
            end = self._end(rest, start)
            if end > len(rest):
                self._needed = end - start
                break
            self._needed = 2
            found = self._take(rest[start], bytes(rest[start + 1 : end]))
            start = end
            if found is not None:
                yield found
        del rest[:start]
        self._rest = rest or None

    def _end(self, rest: bytearray, start: int) -> int:
        """Return where the frame ends, as far as its head says; check the head."""
        first, second = rest[start], rest[start + 1]
        opcode, size = first & 0x0F, second & 0x7F
        if first & 0x70 or opcode not in OPCODES:
            raise Broken(PROTOCOL_ERROR, "a frame of an unknown kind")
        if not second & 0x80:
            raise Broken(PROTOCOL_ERROR, "a client's frame must be masked")
        if opcode & 0x8 and (not first & 0x80 or size > 125):
            raise Broken(PROTOCOL_ERROR, "a control frame must be short and whole")
        wide = WIDE.get(size, 0)
        head = 2 + wide + 4
        if len(rest) - start < head:
            return start + head
        if wide:
            size = int.from_bytes(rest[start + 2 : start + 2 + wide])
        if size + (0 if opcode & 0x8 else len(self._parts or b"")) > self.longest:
            raise Broken(TOO_BIG, f"a message has at most {self.longest} bytes")
        return start + head + size

    def _take(self, first: int, frame: bytes) -> tuple[int, bytes] | None:
        at = 1 + WIDE.get(frame[0] & 0x7F, 0)
        opcode, payload = first & 0x0F, _unmasked(frame[at + 4 :], frame[at : at + 4])
        if opcode & 0x8:
            return opcode, payload
        if (opcode == CONTINUATION) != (self._kind != CONTINUATION):
            raise Broken(PROTOCOL_ERROR, "fragments must come one after another")
        if not first & 0x80:
            self._kind = self._kind or opcode
            self._parts = self._parts or bytearray()
            self._parts += payload
            return None
        opcode, payload = self._kind or opcode, bytes(self._parts or b"") + payload
        self._kind, self._parts = CONTINUATION, None
        return opcode, payload


def control_frame(opcode: int, payload: bytes = b"") -> bytes:
    """Frame a close, a ping or a pong; it has room for 125 bytes."""
    return pack("!BB", 0x80 | opcode, len(payload)) + payload


def close_frame(code: int, reason: bytes = b"") -> bytes:
    """Frame a close with its code, and a reason of at most 123 bytes."""
    return control_frame(CLOSE, pack("!H", code) + reason)


def closing_code(payload: bytes) -> int | None:
    """Return the code in a close frame, None without one; raise Broken if it is none."""
    if not payload:
        return None
    code = int.from_bytes(payload[:2])
    if len(payload) == 1 or not (code in CODES or 3000 <= code < 5000):
        raise Broken(PROTOCOL_ERROR, "not a code to close with")
    decoded(payload[2:])
    return code


def decoded(payload: bytes) -> str:
    """Decode a text; raise Broken if it is not UTF-8."""
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise Broken(BAD_TEXT, "text must be UTF-8") from None


def _unmasked(payload: bytes, key: bytes) -> bytes:
    size = len(payload)
    mask = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(payload) ^ int.from_bytes(mask)).to_bytes(size)
