"""Frames as a client sends them, right or wrong in any part. Source: RFC 6455, section 5.2."""

from random import Random

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
HANDSHAKE = (
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==",
)
LONGEST = 64 * 1024  # that the server takes


def frame(
    opcode: int,
    payload: bytes = b"",
    *,
    fin: bool = True,
    reserved: int = 0,
    key: bytes | None = b"\x01\x02\x03\x04",
    claims: int | None = None,
) -> bytes:
    """Frame a payload, masked with `key` or not at all; `claims` is the length that it says."""
    size = len(payload) if claims is None else claims
    head = bytes((fin << 7 | reserved << 4 | opcode,)) + length(size, masked=key is not None)
    if key is None:
        return head + payload
    mask = (key * (len(payload) // 4 + 1))[: len(payload)]
    return head + key + bytes(a ^ b for a, b in zip(payload, mask, strict=True))


def length(size: int, *, masked: bool = True) -> bytes:
    """Say a length in the shortest of three forms."""
    bit = masked << 7
    if size <= 125:
        return bytes((bit | size,))
    if size <= 0xFFFF:
        return bytes((bit | 126,)) + size.to_bytes(2)
    return bytes((bit | 127,)) + size.to_bytes(8)


def key(chance: Random) -> bytes:
    """Return a mask."""
    return chance.choice((bytes(4), b"\xff" * 4, chance.randbytes(4)))


def fragments(chance: Random, opcode: int, payload: bytes, count: int) -> list[bytes]:
    """Cut a message into frames, anywhere, empty ones too."""
    cuts = sorted(chance.choices(range(len(payload) + 1), k=count - 1))
    parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    return [
        frame(CONTINUATION if n else opcode, part, fin=n == count - 1, key=key(chance))
        for n, part in enumerate(parts)
    ]


def close(code: int | None = 1000, reason: bytes = b"") -> bytes:
    """Say goodbye."""
    return frame(CLOSE, b"" if code is None else code.to_bytes(2) + reason)
