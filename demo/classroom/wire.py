"""The bytes of a reader's last exchange, as they went over the wire, for the page to decode.

Kept for readers of the page alone, 8 KiB each way at most; nothing is decoded here.
"""

from aiohttp import web

from demo.classroom.delayed import KEPT_BYTES, DelayedProtocol, DelayedTransport

HEAD_END = b"\r\n\r\n"
TEXT = 1  # RFC 6455, section 5.2


class Wire:
    """What a reader's last exchange looked like; None what there is not."""

    def __init__(self) -> None:
        self.up: bytes | None = None
        self.down: bytes | None = None
        self._frames: tuple[DelayedTransport, DelayedProtocol] | None = None

    def exchange(self, up: bytes | None, down: bytes) -> None:
        """Keep a poll's request and its answer."""
        self.up, self.down, self._frames = up, down, None

    def session(
        self, up: bytes | None, transport: DelayedTransport, protocol: DelayedProtocol
    ) -> None:
        """Keep a WebSocket's upgrade, and follow its frames."""
        self.up, self.down, self._frames = up, None, (transport, protocol)

    def shown(self) -> dict[str, str | None]:
        """Return each as Latin-1: one character a byte."""
        down, frame_down, frame_up = self.down, None, None
        if self._frames is not None:
            transport, protocol = self._frames
            head, end, _ = transport.head.partition(HEAD_END)
            down = head + end if end else None
            frame_down, frame_up = map(last_text, (transport.last_text, protocol.last_text))
        return {
            "up": _latin(self.up),
            "down": _latin(down),
            "frame_up": _latin(frame_up),
            "frame_down": _latin(frame_down),
        }


def head_of(request: web.Request, size: int) -> bytes | None:
    """Return the request's head as it arrived, if it had `size` bytes; else it was another."""
    version = request.version
    line = f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}\r\n"
    fields = b"".join(name + b": " + value + b"\r\n" for name, value in request.raw_headers)
    head = line.encode("utf-8", "surrogateescape") + fields + b"\r\n"
    return head if len(head) == size <= KEPT_BYTES else None


def last_text(data: bytes) -> bytes | None:
    """Return the last whole text frame of some frames (RFC 6455, section 5.2)."""
    found, start = None, 0
    while start + 2 <= len(data):
        end = _end(data, start)
        if end is None or end > len(data):
            break
        if data[start] & 0x0F == TEXT:
            found = data[start:end]
        start = end
    return found


def _end(data: bytes, start: int) -> int | None:
    size, masked = data[start + 1] & 0x7F, data[start + 1] >> 7
    wide = {126: 2, 127: 8}.get(size, 0)
    if start + 2 + wide > len(data):
        return None
    if wide:
        size = int.from_bytes(data[start + 2 : start + 2 + wide])
    return start + 2 + wide + 4 * masked + size


def _latin(data: bytes | None) -> str | None:
    return None if data is None else data.decode("latin-1")
