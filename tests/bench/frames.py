"""The few bytes of the WebSocket protocol that the generator needs."""

import base64
import os
from struct import pack

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA  # RFC 6455, section 5.2


def upgrade(path: str) -> bytes:
    """Return a request that opens a WebSocket."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = (
        f"GET {path} HTTP/1.1",
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode()


def frame(opcode: int, payload: bytes) -> bytes:
    """Frame what a client says: whole and masked, up to 64 KiB."""
    size, key = len(payload), os.urandom(4)
    head = pack("!BB", 0x80 | opcode, 0x80 | size) if size < 126 else b""
    head = head or pack("!BBH", 0x80 | opcode, 0x80 | 126, size)
    mask = (key * (size // 4 + 1))[:size]
    masked = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return head + key + masked.to_bytes(size, "big")


def unframe(data: bytes) -> tuple[int, bytes, int] | None:
    """Return opcode, payload and size of the first frame, or None while it is not all there."""
    if len(data) < 2:
        return None
    start, size = 2, data[1]
    if size >= 126:
        start = 4 if size == 126 else 10
        size = int.from_bytes(data[2:start], "big")
    if len(data) < start + size:
        return None
    return data[0] & 0x0F, data[start : start + size], start + size
