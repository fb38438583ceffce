"""Responses whose bytes are made once, for all who get the same answer.

aiohttp writes the head of each response anew, which is a good part of what a poll costs.
"""

import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import HttpVersion11, hdrs, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import SERVER_SOFTWARE


def wire(status: int, headers: Mapping[str, str], body: bytes | None = None) -> bytes:
    """Return a response as aiohttp would write it now, head and body in one piece."""
    fields = dict(headers)
    if body is not None:
        fields[hdrs.CONTENT_LENGTH] = str(len(body))
    fields[hdrs.DATE] = formatdate(time.time(), usegmt=True)
    fields[hdrs.SERVER] = SERVER_SOFTWARE
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    lines += [f"{name}: {value}" for name, value in fields.items()]
    return "\r\n".join([*lines, "", ""]).encode() + (body or b"")


class Ready(web.StreamResponse):
    """A response that is written in the bytes it comes with, if the request allows that.

    To a HEAD, to HTTP/1.0, before a close, or with a header more, it is written as any other.
    """

    def __init__(
        self,
        written: bytes,
        status: int,
        headers: Mapping[str, str],
        body: bytes | None = None,
        cursor: int = 0,
    ) -> None:
        super().__init__(status=status, headers=headers)
        self.body = body
        self.cursor = cursor  # where it leads its reader
        self._written = written
        self._headers_given = len(headers)
        self._is_written = False
        self._to_head = False

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Write it, whole, or begin it; raise ConnectionResetError when nobody is there."""
        if self._is_written:
            return None
        if not self._allowed(request):
            return await self._begin(request)
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the reader has gone")
        self._is_written = True
        transport.write(self._written)
        if request.protocol.writing_paused:  # else who asks and does not read would be owed more
            await request.writer.drain()
        return None

    async def write_eof(self, data: bytes = b"") -> None:
        """End it; what has been written whole has ended."""
        if not self._is_written:
            await super().write_eof(data if self._to_head or self.body is None else self.body)

    @property
    def prepared(self) -> bool:
        """Whether it has been written, or begun."""
        return self._is_written or super().prepared

    @property
    def keep_alive(self) -> bool | None:
        """Whether the connection goes on, once that is known."""
        return True if self._is_written else super().keep_alive

    def _allowed(self, request: web.BaseRequest) -> bool:
        return (
            request.method == hdrs.METH_GET
            and request.version == HttpVersion11
            and request.keep_alive
            and self._keep_alive is None
            and len(self.headers) == self._headers_given
        )

    async def _begin(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        self._to_head = request.method == hdrs.METH_HEAD
        if self.body is not None and not self.prepared:
            self.content_length = len(self.body)
        return await super().prepare(request)
