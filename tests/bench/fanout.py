"""Measure fan-out: deliveries per second of the demo and of other broadcast servers, on one core.

Closed loop: a number of texts is in flight, and each that has reached every socket is followed by
the next. The servers take turns in random order, and each round has a fresh process, so that a
ratio compares what ran side by side; deliveries/s alone tell of the machine.
"""

import argparse
import asyncio
import contextlib
import os
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import FrameType

import psutil
from rich.console import Console
from rich.table import Table

from demo.options import LOOPS
from tests.bench.crowd import Crowd, Faulty
from tests.bench.servers import Server, ours, pinned, started, theirs

IN_FLIGHT = (1, 4, 16)
TEXT_BYTES = 64
WARM_UP_S = 0.5
BUSY = 0.9  # share of a core above which the generator is the limit
DISTURBED = 0.1  # share of a core that others may take before a window is left out
PATIENCE_S = 5.0  # how long a round waits for the others to be quiet
COMPARED, RIVAL = "room", "node"
GOALS = {1: 1.5, 4: 3.0}  # in flight -> times the rival's deliveries/s


@dataclass(frozen=True)
class Window:
    """What one server did with one number of texts in flight, in one round."""

    server: str
    in_flight: int
    deliveries_per_s: float
    server_cpu_us: float  # a delivery
    server_share: float  # of a core
    generator_share: float
    others_share: float


def main() -> int:
    """Measure, print the table and the goals; return 1 when a goal is missed."""
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(width=None if sys.stdout.isatty() else 130)
    random.seed(options.seed)
    room_for(options.sockets)
    with tempfile.TemporaryDirectory() as folder:
        servers = [*ours(), *theirs(Path(folder))]
        if options.only:
            servers = [server for server in servers if server.name in options.only.split(",")]
        elif RIVAL not in {server.name for server in servers}:
            console.print("Node or its ws package is missing: only ours is measured.")
        server_core, own_core = cores(console)
        lightest = list(LOOPS.values())[-1]  # uvloop where there is one: a read costs it less
        with pinned(own_core), asyncio.Runner(loop_factory=lightest) as runner:
            windows: list[Window] = []
            with contextlib.suppress(KeyboardInterrupt):  # what has been measured still counts
                runner.run(measure(servers, options, server_core, console, windows))
    cells = Cells(windows)
    console.print(table(cells, options))
    return goals(cells, console)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fanout", description=__doc__)
    add = parser.add_argument
    add("--sockets", type=int, default=1000)
    add("--trials", type=int, default=5)
    add("--seconds", type=float, default=2.0, help="length of each window")
    add("--only", default="", help="names of servers, with commas between them")
    add("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def room_for(sockets: int) -> None:
    """Raise the soft limit of open files, which the servers inherit, to what the sockets need."""
    with contextlib.suppress(ImportError):  # Windows has no such limit
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = sockets + 200
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, max(hard, wanted)))


def cores(console: Console) -> tuple[int | None, int | None]:
    """Choose a core for the server and another for the generator, where that can be done."""
    if not hasattr(os, "sched_getaffinity") or len(os.sched_getaffinity(0)) < 2:
        console.print("Processes cannot be pinned to two cores here: expect wider ranges.")
        return None, None
    first, second = sorted(os.sched_getaffinity(0))[:2]
    return first, second


async def measure(
    servers: list[Server],
    options: argparse.Namespace,
    core: int | None,
    console: Console,
    windows: list[Window],
) -> None:
    """Give every server a round in each trial, in random order; add what it did to `windows`."""
    for trial in range(1, options.trials + 1):
        for server in random.sample(servers, len(servers)):
            with console.status(f"trial {trial} of {options.trials}: {server.name}"):
                await quiet()
                try:
                    windows += await one_round(server, options, core)
                except (Faulty, TimeoutError, RuntimeError) as error:
                    console.print(f"a round of {server.name} is void: {error or 'too slow'}")


async def quiet() -> None:
    """Wait until the machine has nothing else to do, or patience ends."""
    end = time.monotonic() + PATIENCE_S
    psutil.cpu_percent()
    while time.monotonic() < end:
        await asyncio.sleep(0.5)
        if psutil.cpu_percent() * (psutil.cpu_count() or 1) <= DISTURBED * 100:
            return


async def one_round(server: Server, options: argparse.Namespace, core: int | None) -> list[Window]:
    """Measure a fresh server with each number of texts in flight, in random order."""
    async with started(server, core) as (process, port):
        crowd = Crowd(server.say, TEXT_BYTES)
        try:
            await crowd.join(port, server.path, options.sockets)
            return [
                await window(server, process, crowd, in_flight, options.seconds)
                for in_flight in random.sample(IN_FLIGHT, len(IN_FLIGHT))
            ]
        finally:
            crowd.leave()


async def window(
    server: Server, process: psutil.Process, crowd: Crowd, in_flight: int, seconds: float
) -> Window:
    """Count deliveries and CPU for `seconds` after a warm-up; raise Faulty if one went wrong."""
    crowd.start(in_flight)
    await _pass(WARM_UP_S, crowd)
    before = _counters(process, crowd)
    await _pass(seconds, crowd)
    after = _counters(process, crowd)
    await crowd.stop()
    clock, deliveries, server_s, own_s, idle_s, machine_s = (
        b - a for a, b in zip(before, after, strict=True)
    )
    return Window(
        server.name,
        in_flight,
        deliveries_per_s=deliveries / clock,
        server_cpu_us=server_s / deliveries * 1e6,
        server_share=server_s / clock,
        generator_share=(own_s - idle_s) / clock,
        # The generator never sleeps: time that it did not get was taken by others, or by the host
        # of this machine, which need not say so.
        others_share=max((machine_s - server_s - own_s) / clock, 1 - own_s / clock),
    )


async def _pass(seconds: float, crowd: Crowd) -> None:
    await asyncio.wait([crowd.fault], timeout=seconds)
    if crowd.fault.done():
        raise Faulty(crowd.fault.result())


def _counters(process: psutil.Process, crowd: Crowd) -> tuple[float, ...]:
    cpu, machine = process.cpu_times(), psutil.cpu_times()
    return (
        time.perf_counter(),
        crowd.deliveries,
        cpu.user + cpu.system,
        time.process_time(),
        crowd.idle_s,
        machine.user + machine.system + getattr(machine, "steal", 0.0),
    )


class Cells:
    """The windows of each server and number in flight, without those that others disturbed."""

    def __init__(self, windows: list[Window]) -> None:
        self._windows: dict[tuple[int, str], list[Window]] = defaultdict(list)
        for one in windows:
            self._windows[one.in_flight, one.server].append(one)

    def __iter__(self) -> Iterator[tuple[int, str]]:
        return iter(sorted(self._windows))

    def undisturbed(self, in_flight: int, server: str) -> list[Window]:
        """Return what counts: the windows in which the machine was ours, or all if none was."""
        windows = self._windows.get((in_flight, server), [])
        return [one for one in windows if one.others_share <= DISTURBED] or windows

    def disturbed(self, in_flight: int, server: str) -> str:
        """Say how many windows others disturbed, of how many."""
        windows = self._windows[in_flight, server]
        return f"{sum(one.others_share > DISTURBED for one in windows)} of {len(windows)}"

    def void(self, in_flight: int, server: str) -> bool:
        """Say whether there is no undisturbed window of a server, so that its figures are void."""
        windows = self.undisturbed(in_flight, server)
        return all(one.others_share > DISTURBED for one in windows)

    def ratio(self, in_flight: int, server: str) -> float | None:
        """Divide a server's median deliveries/s by the rival's; None if one has no good window."""
        if self.void(in_flight, server) or self.void(in_flight, RIVAL):
            return None
        pair = [self.undisturbed(in_flight, name) for name in (server, RIVAL)]
        ours, rivals = (median(one.deliveries_per_s for one in windows) for windows in pair)
        return ours / rivals

    def limited(self, in_flight: int) -> bool:
        """Say whether the generator, and not the server, was the limit of one of the compared."""
        return any(
            median(one.generator_share for one in self.undisturbed(in_flight, name)) > BUSY
            for name in (COMPARED, RIVAL)
        )


def table(cells: Cells, options: argparse.Namespace) -> Table:
    """Draw a row for each server and number in flight: medians, and ranges over the trials."""
    drawn = Table(
        title=f"Fan-out to {options.sockets} sockets, {TEXT_BYTES}-byte texts, one core a server",
        caption="Disturbed: others took over a tenth of a core. Such windows are in no ratio.",
    )
    drawn.add_column("in flight", justify="right")
    drawn.add_column("server")
    figures = (
        "deliveries/s",
        "range",
        "server CPU µs",
        "of Node",
        "server",
        "generator",
        "disturbed",
    )
    for figure in figures:
        drawn.add_column(figure, justify="right")
    for cell in cells:
        drawn.add_row(str(cell[0]), cell[1], *_figures(cells, *cell), end_section=cell[1] == "ws")
    return drawn


def _figures(cells: Cells, in_flight: int, server: str) -> list[str]:
    windows = cells.undisturbed(in_flight, server)
    rates = [one.deliveries_per_s for one in windows]
    ratio = cells.ratio(in_flight, server)
    busy = median(one.generator_share for one in windows)
    return [
        f"{median(rates):,.0f}",
        f"{min(rates):,.0f} to {max(rates):,.0f}",
        f"{median(one.server_cpu_us for one in windows):.2f}",
        f"{ratio:.2f}" if ratio else "",
        f"{median(one.server_share for one in windows):.0%}",
        f"{busy:.0%}, the limit" if busy > BUSY else f"{busy:.0%}",
        cells.disturbed(in_flight, server),
    ]


def goals(cells: Cells, console: Console) -> int:
    """Print a line for each goal; return 1 when one is missed, else 0."""
    missed = False
    for in_flight, goal in GOALS.items():
        ratio = cells.ratio(in_flight, COMPARED)
        if ratio is None:
            console.print(f"{in_flight} in flight: not compared, no undisturbed window of both")
            continue
        verdict = "missed" if ratio < goal else "met"
        if cells.limited(in_flight):
            verdict += " (the generator was the limit of one of them)"
        missed |= ratio < goal
        console.print(f"{in_flight} in flight: {ratio:.2f} times Node, goal {goal}: {verdict}")
    return int(missed)


def _interrupt(number: int, _: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)  # which ends the round in order, and its server


if __name__ == "__main__":
    sys.exit(main())
