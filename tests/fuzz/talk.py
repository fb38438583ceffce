"""Send a case over a connection of its own, and read what comes: bytes only, nothing is tidied."""

import asyncio
import contextlib
import socket
import struct

from tests.fuzz.answer import Answer, taken_apart
from tests.fuzz.case import CUTS, HALF, WAITS, Case

PATIENCE_S = 15.0  # a server that works takes milliseconds
MOMENT_S = 0.03
DEAF_S = 0.1  # as long as one who takes no answers keeps asking
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: a close is a reset


class Stuck(Exception):
    """The server neither took what was sent nor closed the connection."""


async def talk(port: int, case: Case) -> Answer:
    """Say a case; return what was answered; raise Stuck, or Nonsense."""
    with socket.create_connection(("127.0.0.1", port)) as sock:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if case.ends == CUTS:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        if case.deaf:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DEAF_S):
                    await _send(sock, case)
            return Answer(ended="not read")
        return await _converse(sock, case)


async def _converse(sock: socket.socket, case: Case) -> Answer:
    got = bytearray()
    reading = asyncio.create_task(_read(sock, got))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _send(sock, case, reading)
            if case.ends == CUTS:
                return Answer(ended="cut")  # whatever part of it has come
            ended = await reading
            return taken_apart(bytes(got), ended)
    except TimeoutError:
        line = f"after {PATIENCE_S:g} s the server had not closed, but said {bytes(got[:200])!r}"
        raise Stuck(line) from None
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _send(sock: socket.socket, case: Case, reading: asyncio.Task[str] | None = None) -> None:
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):  # it has heard enough
        for piece in case.pieces:
            await loop.sock_sendall(sock, piece)
            await asyncio.sleep(0)
        if case.ends == WAITS and reading is not None:
            await asyncio.wait([reading], timeout=MOMENT_S)
        if case.ends in {WAITS, HALF}:
            sock.shutdown(socket.SHUT_WR)


async def _read(sock: socket.socket, got: bytearray) -> str:
    loop = asyncio.get_running_loop()
    try:
        while data := await loop.sock_recv(sock, 1 << 18):
            got += data
    except ConnectionError:
        return "reset"
    return "closed"
