"""How many connections one address and all together may have, and for how long. No network here.

Each bound has an option, an answer that names it, and a counter in /stats (see refusals.py).
"""

import argparse
import contextlib
import functools
import ipaddress
from collections.abc import Callable

import msgspec

from demo.arguments import natural, seconds

OWN_FILES = 32  # what the server has open beside its connections
LOOPBACK = "this machine"
PREFIX = 64  # of IPv6: what lies behind it is one household's


class Bounds(msgspec.Struct, frozen=True):
    """The bounds of a server's connections; of a count, 0 is no bound.

    connections, of_address: connections open at once, of all and of one address
    held_of_address: long polls under way at once from one address
    request_s: how long a head, and then a body, may take to arrive
    idle_s: how long a connection may be kept that asks nothing
    stall_s: how long a poll's reader may take nothing of its answer
    loopback: whether this machine is an address like any
    """

    connections: int = 30_000
    of_address: int = 2000  # a class of 300 may be behind one address, and a browser opens six
    held_of_address: int = 1000
    request_s: float = 10.0
    idle_s: float = 75.0  # longer than the clients', or the two would race
    stall_s: float = 30.0
    loopback: bool = False

    def site(self, address: str | None) -> str | None:
        """Return for whom an address stands, which is what is counted; None is not counted."""
        return _site(address or "") or (LOOPBACK if self.loopback else None)


def add_bounds(add: Callable[..., object]) -> None:
    """Add an option for each bound."""
    usual = Bounds()
    add(
        "--max-connections",
        default=usual.connections,
        type=natural,
        help="connections of each process, 0: as many as the system allows",
    )
    add(
        "--max-connections-per-address",
        default=usual.of_address,
        type=natural,
        help="connections from one address, 0: no limit",
    )
    add(
        "--max-held-per-address",
        default=usual.held_of_address,
        type=natural,
        help="long polls at once from one address, 0: no limit",
    )
    add(
        "--limit-loopback",
        action="store_true",
        help="let the two limits above hold for this machine too",
    )
    add(
        "--request-timeout-s",
        default=usual.request_s,
        type=seconds,
        help="longest that a request's head, and then its body, may take to arrive",
    )
    add(
        "--idle-timeout-s",
        default=usual.idle_s,
        type=seconds,
        help="longest that a connection is kept which asks nothing",
    )
    add(
        "--stall-timeout-s",
        default=usual.stall_s,
        type=seconds,
        help="longest that a poll's reader may take nothing of its answer",
    )


def bounds_of(options: argparse.Namespace) -> Bounds:
    """Return the bounds that a command line sets, no more connections than files may be open."""
    return Bounds(
        connections=_connections(options.max_connections),
        of_address=options.max_connections_per_address,
        held_of_address=options.max_held_per_address,
        request_s=options.request_timeout_s,
        idle_s=options.idle_timeout_s,
        stall_s=options.stall_timeout_s,
        loopback=options.limit_loopback,
    )


def _connections(wanted: int) -> int:
    """Let as many files be open as are wanted; return how many connections that allows."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return wanted
    most = hard if hard != resource.RLIM_INFINITY else max(soft, wanted + OWN_FILES)
    needed = min(wanted + OWN_FILES, most) if wanted else most
    if needed > soft:
        with contextlib.suppress(ValueError, OSError):  # macOS has a bound of its own
            resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(wanted or soft, max(1, soft - OWN_FILES))


@functools.lru_cache(maxsize=4096)
def _site(address: str) -> str | None:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is None and not found.is_loopback:
            return str(ipaddress.ip_network((found, PREFIX), strict=False))
        found = found.ipv4_mapped or found
    return None if found.is_loopback else str(found)
