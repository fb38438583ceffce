"""Tell a connection that may not come in why, before there is a request, and hang up."""

import asyncio

from demo.message import Problem, encode
from demo.queries import RETRY_AFTER_S

FAREWELL_S = 1.0  # how long who may not come in has to read why
MAX_FAREWELLS = 256  # at once: beyond that nobody is told


class Farewell(asyncio.Protocol):
    """Say why to a connection that may not come in, and hang up."""

    def __init__(
        self, transport: asyncio.Transport, line: str, others: set[asyncio.BaseTransport]
    ) -> None:
        self._transport = transport
        self._others = others
        transport.set_protocol(self)
        if len(others) >= MAX_FAREWELLS:
            transport.abort()
            return
        others.add(transport)
        transport.write(raw_answer("503 Service Unavailable", f"{line}: try again later"))
        transport.write_eof()  # a close would discard what is read, and with it the answer
        self._timer = asyncio.get_running_loop().call_later(FAREWELL_S, transport.abort)

    def data_received(self, data: bytes) -> None:
        """Read nothing of what is asked."""

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Forget it."""
        self._others.discard(self._transport)


def raw_answer(status: str, line: str) -> bytes:
    """Return an HTTP answer that closes its connection, for where there is no request."""
    body = encode(Problem(line))
    retry = f"Retry-After: {RETRY_AFTER_S}\r\n" if status.startswith("503") else ""
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"Cache-Control: no-store\r\n{retry}Connection: close\r\n\r\n"
    )
    return head.encode() + body
