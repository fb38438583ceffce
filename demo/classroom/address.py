"""Where the page is found: on this machine, and from the network if the server listens there."""

import ipaddress
import socket
from urllib.parse import urlsplit

import psutil

from demo.names import is_loopback

# Documentation addresses (RFC 5737, RFC 3849): nothing is sent, the kernel only picks a route.
FAR = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}


def home_url(host: str, url: str) -> str:
    """Return the page's address on this machine, given --host and the URL listened at."""
    parts = urlsplit(url)
    if host == "localhost" or _is_any(host):
        return f"http://localhost:{parts.port}/"
    return f"http://{parts.netloc}/"


def join_url(host: str, url: str) -> str | None:
    """Return what students open, given --host and the URL listened at; None if nobody can."""
    if is_loopback(host):
        return None
    outside = _address_in_network(host) if _is_any(host) else host
    if outside is None:
        return None
    named = f"[{outside}]" if ":" in outside else outside
    return f"http://{named}:{urlsplit(url).port}/join"


def _is_any(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return not host


def _address_in_network(host: str) -> str | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return _towards_far(family) or _of_interface(family)


def _towards_far(family: socket.AddressFamily) -> str | None:
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((FAR[family], 9))
        except OSError:  # no way out of this machine
            return None
        return str(sock.getsockname()[0])


def _of_interface(family: socket.AddressFamily) -> str | None:
    """Return this machine's first address in a network that leads nowhere else, as a hotspot's."""
    up = {name for name, state in psutil.net_if_stats().items() if state.isup}
    for name, addresses in psutil.net_if_addrs().items():
        for each in addresses if name in up else []:
            if each.family == family and _is_for_others(each.address):
                return each.address
    return None


def _is_for_others(text: str) -> bool:
    address = ipaddress.ip_address(text)
    return not address.is_loopback and not address.is_link_local
