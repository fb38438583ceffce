"""Local ports: each connection takes one of its source address, and an address has not that many.

Where one does not suffice, a crowd on loopback comes from 127.0.0.1, 127.0.0.2 and so on: on Linux
all of 127.0.0.0/8 is this machine. A server elsewhere is reached from one address alone.

Nothing is connected here; what opens connections is `dialling`.
"""

import contextlib
import math
from pathlib import Path

from clients.dialling import KEEPALIVE_S, LOOPBACK, address, socket_from
from clients.errors import ServerError
from clients.modes import MODES, Mode
from clients.records import Settings

RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
ELSEWHERE = 49152, 65535  # RFC 6335, section 6: what other systems give out
SPARE = 0.1  # of the ports: this machine has other connections too
TIME_WAIT_S = 60.0  # for so long a port rests after its connection; RFC 9293 has four minutes
LEAST_CYCLE_S = 0.001  # from one poll to the next
MOST_OPENED_PER_S = 10_000  # more than the server takes
MOST_SOURCES = 250


def sources(settings: Settings, mode: str, host: str = LOOPBACK) -> int:
    """Return from how many loopback addresses the clients must come to the server at `host`.

    Raises ServerError when there are not as many.
    """
    return addresses(settings.clients, _ports(settings, MODES[mode]), host)


def addresses(clients: int, needed: int, host: str = LOOPBACK) -> int:
    """Return likewise what `clients` that need so many ports together must come from."""
    each = (1 - SPARE) * _given_out()
    count = math.ceil(needed / each)
    if count == 1 or (host == LOOPBACK and count <= MOST_SOURCES and _is_here(address(count - 1))):
        return count
    line = f"{clients} clients need {needed} local ports, and one address has {each:.0f} to spare"
    closing = ", or an --interval-s at which polls close fewer connections" * (needed > clients)
    raise ServerError(f"{line}: use fewer --clients{closing}")


def _ports(settings: Settings, mode: Mode) -> int:
    """Return how many ports are taken at once: by connections, and by those that were closed."""
    pause_s = 0.0 if mode.holds else settings.interval_s
    if mode.pushes or (settings.keepalive and pause_s <= KEEPALIVE_S):
        return settings.clients
    polls_s = 1 / max(settings.interval_s, LEAST_CYCLE_S)
    each_s = polls_s if settings.keepalive else max(settings.rate_per_s, polls_s)
    opened_per_s = min(MOST_OPENED_PER_S, settings.clients * each_s)
    return settings.clients + math.ceil(opened_per_s * TIME_WAIT_S)


def _given_out() -> int:
    first, last = ELSEWHERE
    with contextlib.suppress(OSError, ValueError):
        first, last = map(int, RANGE.read_text().split())
    return last - first + 1


def _is_here(address: str) -> bool:
    try:
        socket_from(address).close()
    except OSError:
        return False
    return True
