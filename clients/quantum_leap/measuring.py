"""Measure the article's use cases: its server in one process, its clients in another."""

from collections.abc import Callable

import msgspec

from clients.errors import ServerError
from clients.files import allow_files, most_clients
from clients.joining import Tally
from clients.ports import addresses
from clients.processes import address_of, child
from clients.quantum_leap.article import BODY, MBPS
from clients.quantum_leap.crowd import JOINING_S, SETTLING_S, Order, Traffic
from clients.quantum_leap.records import WAYS, HeaderTraffic
from clients.worker import dismiss, give, ready, report, report_beside

PACE = 0.99  # of a message a second for each client: below, the machine did not carry the crowd
LEAVING_S = 2.0  # of a run: starting the processes, and until the last poll is over


class Leap(msgspec.Struct, frozen=True):
    """What to measure: crowds of these sizes, each for so long, in both modes."""

    sizes: tuple[int, ...] = (1_000, 10_000)
    duration_s: float = 10.0
    seed: int = 0

    @property
    def seconds(self) -> float:
        """How long it takes, about."""
        joining_s = JOINING_S * sum(self.sizes)
        return 2 * (joining_s + len(self.sizes) * (SETTLING_S + self.duration_s + LEAVING_S))


async def measure(leap: Leap, done: Callable[[HeaderTraffic], None]) -> None:
    """Measure each crowd in both modes; `done` gets each result as it comes.

    A crowd is made as large as the limit of open files allows. Raises ServerError when a process
    does not do its part, and when there are not ports enough.
    """
    for size in dict.fromkeys(min(size, most_clients()) for size in leap.sizes):
        allow_files(size)
        sources = addresses(size, size)
        for mode in WAYS:
            done(await _measure(leap, mode, size, sources))


async def _measure(leap: Leap, mode: str, clients: int, sources: int) -> HeaderTraffic:
    name = "clients.quantum_leap.server"
    async with child(name) as server, child("clients.quantum_leap.crowd") as crowd:
        url = await address_of(server, name)
        await ready(crowd)
        give(crowd, Order(url, mode == "polling", clients, leap.duration_s, leap.seed, sources))
        seen = await report_beside(server, name, crowd, Traffic)
        dismiss(server)
        counted = await report(server, Tally)
    if not seen or not counted:
        raise ServerError(f"{clients} clients were too many here: try fewer --clients")
    return result(mode, clients, seen[0], counted[0])


def result(mode: str, clients: int, seen: Traffic, counted: Tally) -> HeaderTraffic:
    """Hold what the clients saw against what the server counted."""
    header_bytes = seen.bytes_up + seen.bytes_down - seen.messages * len(BODY)
    pace = seen.messages / seen.window_s / clients
    return HeaderTraffic(
        mode=mode,
        clients=clients,
        window_s=seen.window_s,
        messages=seen.messages,
        bytes_up=seen.bytes_up,
        bytes_down=seen.bytes_down,
        header_bytes_per_message=header_bytes / max(1, seen.messages),
        header_mbps=header_bytes * 8 / MBPS / seen.window_s,
        messages_per_client_s=pace,
        client_cpu_share=seen.cpu_s / seen.window_s,
        failures=seen.failures,
        kept_up=pace >= PACE,
        agrees=seen.total == counted,
    )
