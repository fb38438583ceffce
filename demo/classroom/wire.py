"""The bytes of a reader's last exchange, as they went over the wire, for the page to decode.

Kept for readers of the page alone, 8 KiB each way at most; nothing is decoded here. Who knows a
reader's name may see its bytes: the name is random, and its page tells it to nobody.
"""

from aiohttp import web

from demo.classroom.arriving import DelayedProtocol
from demo.classroom.delayed import KEPT_BYTES, DelayedTransport
from demo.classroom.framing import last_text

HEAD_END = b"\r\n\r\n"
# A browser sends to one program of a host what another has set: a login of a notebook's, say.
SECRETS = frozenset({b"cookie", b"authorization", b"proxy-authorization"})
MASK = b"*"


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
    """Return the request's head as it arrived, if it had `size` bytes; else it was another.

    The values of SECRETS are masked, as long as they were.
    """
    version = request.version
    line = f"{request.method} {request.raw_path} HTTP/{version.major}.{version.minor}\r\n"
    fields = b"".join(
        name + b": " + (MASK * len(value) if name.lower() in SECRETS else value) + b"\r\n"
        for name, value in request.raw_headers
    )
    head = line.encode("utf-8", "surrogateescape") + fields + b"\r\n"
    return head if len(head) == size <= KEPT_BYTES else None


def _latin(data: bytes | None) -> str | None:
    return None if data is None else data.decode("latin-1")
