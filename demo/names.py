"""By which names a server is asked for: this machine's, loopback's, addresses. No network here."""

import ipaddress
from urllib.parse import urlsplit


def names_of(host: str, machine: str) -> frozenset[str]:
    """Return the names of a server: the --host that it was given, and its machine's.

    Without a lookup, which may take long: what else leads here needs --allow-origin. A server on
    loopback has none, since a neighbour may say where `.local` leads.
    """
    if is_loopback(host):
        return frozenset()
    first = machine.partition(".")[0]
    names = (name_of(name) for name in (host, machine, first, f"{first}.local"))  # RFC 6762
    return frozenset(name for name in names if name)


def is_loopback(host: str | None) -> bool:
    """Say whether a host name or address means this machine alone."""
    if host is None:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_address(host: str) -> bool:
    """Say whether a host is an IP address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def name_of(host: str) -> str:
    """Return the name in a Host header, without its port and the root's dot."""
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return host
