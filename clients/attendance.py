"""Who of a run's clients is there: each counts once, when it has had its first answer or upgrade.

A long poll is not answered before there is news, so there a client that is held counts too.
"""

import asyncio
from collections.abc import Sequence

from clients.client import Client
from clients.errors import ServerError
from clients.modes import MODES
from clients.server import ASK_AGAIN_S, ModeStats, Server, Stats


class Attendance:
    """Count the clients of a run in.

    measured: those of this process; counted: by worker, how many of its readers have joined
    held: of all, how many long polls were held when the server was last asked
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.measured: Sequence[Client] = ()
        self.counted: dict[int, int] = {}
        self.held = 0

    @property
    def present(self) -> int:
        """How many are there."""
        joined = sum(client.joined for client in self.measured) + sum(self.counted.values())
        return min(self.expected, max(joined, self.held))

    @property
    def complete(self) -> bool:
        """Whether all are."""
        return self.present == self.expected


async def wait_for_all(
    attendance: Attendance, server: Server, mode: str, before: Stats, patience_s: float
) -> None:
    """Wait until every client is there; raise ServerError when no more come for so long.

    before: the server's counters when no client had asked yet
    """
    loop = asyncio.get_running_loop()
    most, since = attendance.present, loop.time()
    while not attendance.complete:
        await asyncio.sleep(ASK_AGAIN_S)
        if MODES[mode].holds:
            now = (await server.stats()).modes[mode]
            attendance.held = held(before.modes[mode], now)
        if attendance.present > most:
            most, since = attendance.present, loop.time()
        elif loop.time() - since > patience_s:
            raise ServerError(
                f"{most} of {attendance.expected} clients could ask, and none more in"
                f" {patience_s:.0f} s: try fewer --clients"
            )


def held(before: ModeStats, now: ModeStats) -> int:
    """Return how many long polls are held: begun, not answered in any way, and still connected.

    A client holds one at a time. News that came to others may have answered fewer than it counts.
    """
    # A poll that was refused, or whose connection broke, stands in no other count.
    return min(_waiting(now) - _waiting(before), now.connections)


def _waiting(stats: ModeStats) -> int:
    return stats.requests - stats.empty - stats.gaps - stats.deliveries
