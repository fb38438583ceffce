"""The machine of a benchmark: its cores, its quiet, and what a process takes of it."""

import asyncio
import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

BUSY = 0.9  # share of a core above which the generator is the limit
DISTURBED = 0.1  # share of a core that others may take before a window is left out
PATIENCE_S = 5.0  # how long a round waits for the others to be quiet


def room_for(sockets: int) -> None:
    """Raise the soft limit of open files, which the servers inherit, to what the sockets need."""
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = sockets + 200
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


def cores() -> tuple[int | None, int | None]:
    """Choose a core for the server and another for the generator, where that can be done."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        return None, None
    first, *others = sorted(os.sched_getaffinity(0))
    halves = _halves(first)  # of one core: what one of them does slows the other
    return first, next((core for core in others if core not in halves), others[0])


def _halves(core: int) -> set[int]:
    place = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")
    if not place.exists():
        return {core}
    ends = (part.split("-") for part in place.read_text("ascii").strip().split(","))
    return {
        half for first, *last in ends for half in range(int(first), int((last or [first])[0]) + 1)
    }


@contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Run on `core` alone while the block lasts; None stays where it is."""
    if core is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


async def quiet(seconds: float) -> None:
    """Wait until the machine has nothing else to do, or patience ends: sooner before short windows.

    seconds: the length of a window
    """
    end = time.monotonic() + min(PATIENCE_S, 5 * seconds)
    psutil.cpu_percent()
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        if psutil.cpu_percent() * (psutil.cpu_count() or 1) <= DISTURBED * 100:
            return


@dataclass(frozen=True)
class Shares:
    """What was taken of the time between two readings; shares are of one core."""

    elapsed_s: float
    server_s: float
    server: float
    generator: float
    others: float


def alone(shares: Shares) -> Shares:
    """Return the same without the others: memory does not grow with what they take."""
    return replace(shares, others=0.0)


def without(shares: Shares, paused_s: float) -> Shares:
    """Return the same of the time that remains without the generator's own pauses."""
    elapsed_s = shares.elapsed_s - paused_s
    more = shares.elapsed_s / elapsed_s
    return replace(
        shares,
        elapsed_s=elapsed_s,
        server=shares.server * more,
        generator=shares.generator * more,
        others=shares.others * more,
    )


class Clock:
    """Read at once the time, and who has taken how much of it: server, this process, all.

    A server is its process and all that it has started by now.
    """

    def __init__(self, process: psutil.Process) -> None:
        self._processes = [process, *process.children(recursive=True)]
        self._before = self._read()

    def since(self, idle_s: float = 0.0) -> Shares:
        """Return what was taken since the start.

        idle_s: CPU of this process that was spent in waiting, and is to count as none
        """
        elapsed_s, server_s, own_s, machine_s = (
            now - then for then, now in zip(self._before, self._read(), strict=True)
        )
        spinning = idle_s > 0  # it never sleeps: what it did not get, others took, or the host did
        return Shares(
            elapsed_s,
            server_s,
            server_s / elapsed_s,
            (own_s - idle_s) / elapsed_s,
            max((machine_s - server_s - own_s) / elapsed_s, spinning - own_s / elapsed_s, 0.0),
        )

    def _read(self) -> tuple[float, ...]:
        cpu_s, machine = sum(map(cpu_of, self._processes)), psutil.cpu_times()
        everything_s = machine.user + machine.system + getattr(machine, "steal", 0.0)
        return time.perf_counter(), cpu_s, time.process_time(), everything_s


def cpu_of(process: psutil.Process) -> float:
    """Return the seconds that a process has taken, in itself and in the system."""
    cpu = process.cpu_times()
    return cpu.user + cpu.system
