"""Tell WebSocket frames apart in bytes that begin with one. Nothing is decoded or unmasked here.

Source: RFC 6455, section 5.2.
"""

from collections.abc import Iterator

from demo.frames import TEXT_CODE, WIDE


def frames(data: bytes) -> Iterator[bytes]:
    """Yield each frame of some bytes; a rest that is no whole frame comes last, as it is."""
    start = 0
    while start < len(data):
        end = min(_end(data, start), len(data))
        yield data[start:end]
        start = end


def is_text(frame: bytes) -> bool:
    """Whether a frame's opcode says text."""
    return frame[0] & 0x0F == TEXT_CODE


def last_text(data: bytes) -> bytes | None:
    """Return the last whole text frame of some bytes that begin with a frame."""
    found = None
    for frame in frames(data):
        if is_text(frame) and _end(frame, 0) == len(frame):
            found = frame
    return found


def text_bytes(data: bytes) -> int:
    """Return how many bytes of text the frames of a server carry; heads are not text."""
    return sum(len(frame) - _head(frame) for frame in frames(data) if is_text(frame))


def _head(frame: bytes) -> int:
    return 2 + WIDE.get(frame[1] & 0x7F, 0) if len(frame) > 1 else len(frame)


def _end(data: bytes, start: int) -> int:
    """Return where the frame at `start` ends, beyond the data if its head is not there."""
    if start + 2 > len(data):
        return len(data) + 1
    size, masked = data[start + 1] & 0x7F, data[start + 1] >> 7
    wide = WIDE.get(size, 0)
    body = start + 2 + wide
    if body > len(data):
        return len(data) + 1
    if wide:
        size = int.from_bytes(data[start + 2 : body])
    return body + 4 * masked + size
