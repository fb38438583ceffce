"""How many connections one address and all together may have, and for how long; and how many names.

No network here.
Each bound has an option and a counter in /stats (see refusals.py), and but for those of names an
answer that names it.
"""

import argparse
import functools
import ipaddress
from collections.abc import Callable
from typing import Any

import msgspec

from demo.arguments import natural, seconds

OWN_FILES = 32  # what the server has open beside its connections
LOOPBACK = "this machine"
PREFIX = 64  # of IPv6: what lies behind it is one household's


class Bounds(msgspec.Struct, frozen=True):
    """The bounds of a server's connections and named readers; of a count, 0 is no bound.

    connections, of_address: connections open at once, of all and of one address
    held_of_address: long polls under way at once from one address
    request_s: how long a head, and then a body, may take to arrive
    idle_s: how long a connection may be kept that asks nothing
    stall_s: how long a poll's reader may take nothing of its answer
    loopback: whether this machine is an address like any
    readers, readers_of_address, readers_of_connection: readers that the class counts by name: all,
        and those that were first seen at one address, and over one connection
    """

    connections: int = 30_000
    of_address: int = 2000  # a class of 300 may be behind one address, and a browser opens six
    held_of_address: int = 1000
    request_s: float = 10.0
    idle_s: float = 75.0  # longer than the clients', or the two would race
    stall_s: float = 30.0
    loopback: bool = False
    readers: int = 1000
    readers_of_address: int = 600  # a class of 300 may be behind one, and each may come twice
    readers_of_connection: int = 20  # a page has four, and a browser keeps its connections

    def site(self, address: str | None) -> str | None:
        """Return for whom an address stands, which is what is counted; None is not counted."""
        return _site(address or "") or (LOOPBACK if self.loopback else None)


OPTIONS = (
    ("--max-connections", "connections", natural,
     "connections of each process, 0: as many as the system allows"),
    ("--max-connections-per-address", "of_address", natural,
     "connections from one address, 0: no limit"),
    ("--max-held-per-address", "held_of_address", natural,
     "long polls at once from one address, 0: no limit"),
    ("--request-timeout-s", "request_s", seconds,
     "longest that a request's head, and then its body, may take to arrive"),
    ("--idle-timeout-s", "idle_s", seconds,
     "longest that a connection is kept which asks nothing"),
    ("--stall-timeout-s", "stall_s", seconds,
     "longest that a poll's reader may take nothing of its answer"),
    ("--max-readers", "readers", natural,
     "readers that the class counts by name, 0: no limit"),
    ("--max-readers-per-address", "readers_of_address", natural,
     "the same, of one address, 0: no limit"),
    ("--max-readers-per-connection", "readers_of_connection", natural,
     "the same, over one connection, 0: no limit"),
)  # fmt: skip
LOOPBACK_OPTION = "--limit-loopback"


def add_bounds(add: Callable[..., object]) -> None:
    """Add an option for each bound."""
    usual = Bounds()
    for option, name, read, words in OPTIONS:
        add(option, default=getattr(usual, name), type=read, help=words)
    add(
        LOOPBACK_OPTION,
        action="store_true",
        help="let the limits per address hold for this machine too",
    )


def bounds_of(options: argparse.Namespace) -> Bounds:
    """Return the bounds that a command line sets, no more connections than files may be open."""
    given = {name: _given(options, option) for option, name, _, _ in OPTIONS}
    given["connections"] = _connections(given["connections"])
    return Bounds(**given, loopback=_given(options, LOOPBACK_OPTION))


def _given(options: argparse.Namespace, option: str) -> Any:
    return getattr(options, option.removeprefix("--").replace("-", "_"))


def _connections(wanted: int) -> int:
    """Return how many connections the open files that this process may have allow."""
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return wanted
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return wanted
    return min(wanted or files, max(1, files - OWN_FILES))


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
