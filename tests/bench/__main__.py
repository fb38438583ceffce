"""Compare the demo with what one would use in its place: one command, tables, a chart.

Each server runs alone on one core, the generator on another. In each trial all servers have a
setting one after another, in random order and each in a fresh process, and a ratio is taken within
a trial: it compares what ran side by side. Figures alone tell of the machine.
"""

import argparse
import asyncio
import contextlib
import csv
import random
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

import psutil
from rich.console import Console

from demo.options import LOOPS
from tests.bench import fanout, instrument, memory, polls, workers
from tests.bench.chart import draw
from tests.bench.crowd import Faulty
from tests.bench.goals import MANY, wanted
from tests.bench.machine import cores, pinned, quiet, room_for
from tests.bench.results import Cells, Part, Window, goals, table
from tests.bench.servers import Server, ours, started, theirs

PARTS = (
    Part(fanout.FAN_OUT, "deliveries/s", "node"),
    Part(fanout.LATENCY, "p99, ms", "node", digits=1),
    Part(polls.SHORT, "answers/s", "aiohttp"),
    Part(polls.HELD, "wakes/s", "nchan"),
    Part(memory.SOCKETS, "KiB", "node", digits=1),
    Part(memory.POLLS, "KiB", "nchan", digits=1),
    Part(workers.SHARED, "a second", workers.ONE),
    Part(instrument.COST, "CPU µs of a reader", instrument.MEASURED, digits=1),
    Part(instrument.FLOOR, "ms", instrument.MEASURED, digits=2),
)
Measure = Callable[[], Awaitable[list[Window]]]
Round = tuple[str, str, Measure]  # what is measured, of whom, and how


def main() -> int:
    """Measure, print the tables and the goals, write the rows and the chart."""
    options = parse(sys.argv[1:])
    signal.signal(signal.SIGTERM, _interrupt)
    console = Console(width=None if sys.stdout.isatty() else 140)
    random.seed(options.seed)
    room_for(max(options.sockets) + memory.MORE)
    windows: list[Window] = []
    with tempfile.TemporaryDirectory() as folder:
        servers = [*ours(), *theirs(Path(folder))]
        if options.only:
            servers = [server for server in servers if server.name in options.only]
        server_core, own_core = cores()
        lightest = list(LOOPS.values())[-1]  # uvloop where there is one: a read costs it less
        with (
            contextlib.suppress(KeyboardInterrupt),  # what has been measured still counts
            pinned(own_core),
            asyncio.Runner(loop_factory=lightest) as runner,
        ):
            runner.run(measure(servers, options, server_core, console, windows))
    cells = Cells(windows)
    for part in PARTS:
        if part.name in {cell[0] for cell in cells}:
            console.print(table(part, cells))
    console.print("Disturbed: others took over a tenth of a core. Such windows are in no ratio.")
    console.print(goals(wanted(), cells))
    write(options.out, windows, console)
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--sockets", type=_numbers, default=[100, 1000, MANY], help="such as 100,1000,10000")
    add("--trials", type=int, default=3)
    add("--seconds", type=float, default=2.0, help="length of each window")
    add("--only", type=_names, default=[], help="names of servers, with commas between them")
    add("--parts", type=_names, default=[part.name for part in PARTS], help="names of parts")
    add("--seed", type=int, default=1)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    add("--out", type=Path, default=Path("runs") / f"{now}-bench")
    options = parser.parse_args(arguments)
    if unknown := set(options.parts) - {part.name for part in PARTS}:
        names = ", ".join(part.name for part in PARTS)
        parser.error(f"no part {', '.join(unknown)}: choose from {names}")
    return options


async def measure(
    servers: list[Server],
    options: argparse.Namespace,
    core: int | None,
    console: Console,
    windows: list[Window],
) -> None:
    """Give every server a round of every part in each trial; add what it did to `windows`."""
    for server in list(servers):
        if not await _starts(server, core):
            console.print(f"{server.name} does not start here, and is left out")
            servers.remove(server)
    for trial in range(1, options.trials + 1):
        rounds = [each for server in servers for each in _rounds(server, options, core)]
        rounds += _own_rounds(options, core)
        for done, (name, who, measure_it) in enumerate(_in_turns(rounds)):
            with console.status(f"trial {trial}, {done + 1} of {len(rounds)}: {name} of {who}"):
                await quiet(options.seconds)
                try:
                    windows += [replace(one, trial=trial) for one in await measure_it()]
                except (Faulty, TimeoutError, RuntimeError, OSError, psutil.Error) as error:
                    console.print(f"{name} of {who}: void, {error or 'too slow'}")


def _in_turns(rounds: Sequence[Round]) -> list[Round]:
    """Return the rounds with those of one name side by side, all else at random."""
    names = list(dict.fromkeys(name for name, *_ in rounds))
    place = {name: random.random() for name in names}
    return sorted(random.sample(rounds, len(rounds)), key=lambda each: place[each[0]])


async def _starts(server: Server, core: int | None) -> bool:
    try:
        async with started(server, core):
            return True
    except (TimeoutError, RuntimeError, OSError):
        return False


def _rounds(server: Server, options: argparse.Namespace, core: int | None) -> Iterator[Round]:
    seconds, parts, name = options.seconds, options.parts, server.name
    if fanout.FAN_OUT in parts or fanout.LATENCY in parts:
        for sockets in options.sockets:

            def fan(sockets: int = sockets) -> Awaitable[list[Window]]:
                latency = fanout.LATENCY in parts and sockets == 1000
                return fanout.measure(server, sockets, seconds, core, latency=latency)

            yield f"fan-out to {sockets:,}", name, fan
    if polls.SHORT in parts and server.empty:
        yield polls.SHORT, name, _one(lambda: polls.empties(server, seconds, core))
    if polls.HELD in parts and server.held:
        yield polls.HELD, name, _one(lambda: polls.held(server, seconds, core))
    if memory.SOCKETS in parts:
        yield memory.SOCKETS, name, _one(lambda: memory.sockets(server, core))
    if memory.POLLS in parts and server.held:
        yield memory.POLLS, name, _one(lambda: memory.polls(server, core))


def _own_rounds(options: argparse.Namespace, core: int | None) -> Iterator[Round]:
    """Yield what has no rival: the instrument by itself, and workers that share a feed."""
    seconds, parts = options.seconds, options.parts
    if instrument.COST in parts or instrument.FLOOR in parts:
        yield "the cost", "the instrument", lambda: instrument.measure(seconds, core)
    if workers.SHARED in parts and workers.can():
        for count in workers.COUNTS:

            def share(count: int = count) -> Awaitable[list[Window]]:
                return workers.measure(count, seconds)

            yield "the rate", f"{count} workers", share


def _one(measure_it: Callable[[], Awaitable[Window]]) -> Measure:
    async def as_list() -> list[Window]:
        return [await measure_it()]

    return as_list


def write(folder: Path, windows: list[Window], console: Console) -> None:
    """Write every window as a row, and the chart."""
    if not windows:
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "windows.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.DictWriter(file, [field.name for field in fields(Window)], lineterminator="\n")
        rows.writeheader()
        rows.writerows(map(asdict, windows))
    draw(windows, folder)
    console.print(f"The rows and the chart are in {folder}", soft_wrap=True)


def _numbers(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


def _names(text: str) -> list[str]:
    return text.split(",")


def _interrupt(number: int, _: FrameType | None) -> None:
    signal.raise_signal(signal.SIGINT)  # which ends the round in order, and its server


if __name__ == "__main__":
    sys.exit(main())
