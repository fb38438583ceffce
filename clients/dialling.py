"""Open a connection from a chosen address of this machine, so that a crowd may have many."""

import asyncio
import socket
import sys
from collections.abc import Callable

LOOPBACK = "127.0.0.1"
KEEPALIVE_S = 15.0  # shorter than the server's, or the two would race
IP_BIND_ADDRESS_NO_PORT = 24  # linux/in.h; not in Python 3.11's socket


def address(number: int) -> str:
    """Return the loopback address of this number, from 0."""
    return f"127.0.0.{number + 1}"


def source(number: int, count: int) -> str | None:
    """Return the address that a connection of this number comes from; None where one suffices."""
    return address(number % count) if count > 1 else None


def socket_from(address: str) -> socket.socket:
    """Make a socket that will connect from `address`, at a port that is free for its target."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        if sys.platform == "linux":  # elsewhere the port is chosen here, and free for all targets
            sock.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        sock.bind((address, 0))
    except OSError:
        sock.close()
        raise
    return sock


async def connect(
    protocol: Callable[[], asyncio.BaseProtocol], host: str, port: int, address: str | None = None
) -> None:
    """Open a connection for a protocol, from `address` if there is one; raise OSError if not."""
    loop = asyncio.get_running_loop()
    if address is None:
        await loop.create_connection(protocol, host, port)
        return
    sock = socket_from(address)
    try:
        await loop.sock_connect(sock, (host, port))
        await loop.create_connection(protocol, sock=sock)
    except BaseException:
        sock.close()
        raise
