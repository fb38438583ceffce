"""What `quantum-leap` leaves of each crowd that it measured: a contract with the analysis.

Nothing is read or written here.
"""

from collections.abc import Iterable, Iterator

import msgspec

from clients.checks import BUSY_CLIENT

HEADER_ROWS, HEADER_DETAILS = HEADER_FILES = ("quantum-leap.csv", "quantum-leap.json")
WAYS = {"polling": "polling", "websocket": "WebSocket"}


class HeaderTraffic(msgspec.Struct, frozen=True, kw_only=True):
    """Header traffic of one crowd; `mode` is one of WAYS.

    header_mbps: all bytes both ways but for the bodies, in 2^20 bits a second, without TCP/IP
    messages_per_client_s: 1 when the machine carries the crowd, which `kept_up` says
    agrees: clients and server count the same requests, connections and bytes, to the last
    """

    mode: str
    clients: int
    window_s: float
    messages: int
    bytes_up: int
    bytes_down: int
    header_bytes_per_message: float
    header_mbps: float
    messages_per_client_s: float
    client_cpu_share: float
    failures: int
    kept_up: bool
    agrees: bool

    @property
    def name(self) -> str:
        """Who was measured, and how."""
        return f"{self.clients:,} clients, {WAYS.get(self.mode, self.mode)}"

    @property
    def good(self) -> bool:
        """Whether it holds: all went well, the counts agree, and no client was the limit."""
        carried = self.kept_up and self.client_cpu_share <= BUSY_CLIENT
        return self.agrees and not self.failures and carried


def shortcomings(measured: Iterable[HeaderTraffic]) -> Iterator[str]:
    """Say of which crowds there is no figure, and why: those that are not good."""
    for each in measured:
        if not each.kept_up:
            pace = each.messages_per_client_s
            yield f"{each.name}: this machine does not carry them, {pace:.2f} messages/s each"
        if not each.agrees or each.failures:
            failures = f"({each.failures} failures)"
            yield f"{each.name}: void, clients and server disagree {failures}"
        if each.client_cpu_share > BUSY_CLIENT:
            yield f"{each.name}: void, the clients' process was busy"
