"""Run an experiment from a terminal: progress, Ctrl-C, and errors in one line."""

import asyncio
import gc
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from clients.experiment import Ambition, experiment, plans, seconds
from clients.options import ALL, LEAP, Command, parse
from clients.progress import Watcher
from clients.quantum_leap.measuring import Leap
from clients.quantum_leap.showing import show as show_leap
from clients.records import RUNS
from clients.scenarios import SCENARIOS
from clients.self_check import show_self_check
from clients.terminal import DONE, FAILED, STOPPED, at_once, carry_out, stoppable

__all__ = [
    "DONE",
    "FAILED",
    "STOPPED",
    "command_line",
    "holds_runs",
    "instead",
    "listing",
    "measure",
]


def command_line(
    program: str, run: Callable[[Command, Console], int], *, default: str | None = None
) -> int:
    """Read the arguments and do what they say, until a second signal; return the exit code."""
    command = parse(program, sys.argv[1:], default=default)
    with stoppable():
        try:
            return run(command, Console())
        except KeyboardInterrupt:
            return at_once(program, command.folder)


def measure(program: str, ambition: Ambition, folder: Path, console: Console) -> int:
    """Measure into `folder`; return DONE, FAILED (it was said why) or STOPPED (by a signal)."""
    planned = plans(ambition)
    duration_s = sum(map(seconds, planned))
    console.print(
        f"{ambition.scenario.name}: {ambition.scenario.question}\n"
        f"{len(planned)} runs, about {duration_s:.0f} s, seed {ambition.seed}",
        markup=False,
        highlight=False,
    )
    # A full collection walks every object that the imports made, which stops the loop for 10 ms
    # and more; frozen, they are passed over.
    gc.collect()
    gc.freeze()
    with Watcher(console, planned) as watcher:
        return carry_out(program, _run(ambition, folder, watcher))


def holds_runs(folder: Path) -> bool:
    """Say whether anything has been measured into `folder`."""
    return (folder / RUNS).exists()


def listing() -> Table:
    """Name each scenario, the question it answers, what to expect, and how long it takes."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("scenario", "question", "what to expect", "takes"):
        table.add_column(heading, overflow="fold")
    for scenario in SCENARIOS.values():
        duration_s = sum(map(seconds, plans(Ambition(scenario, seed=0))))
        table.add_row(scenario.name, scenario.question, scenario.expected, f"{duration_s:.0f} s")
    question = "What do 1,000 and 10,000 clients cost in headers alone (Lubbers and Greco)?"
    table.add_row(
        LEAP, question, "6.6 and 66 Mbps against 0.015 and 0.153", f"{Leap().seconds:.0f} s"
    )
    table.add_row(ALL, "All of the above, each in a folder of its own", "", "")
    return table


def instead(
    command: Command, console: Console, done: Callable[[Path], object] | None = None
) -> int:
    """Do what was asked for instead of one experiment: the list, the self-check, all, the article.

    `done` gets the folder of each experiment that was made.
    """
    if command.every:
        return _measure_all(command, console, done)
    if command.leap is not None:
        return show_leap(command.program, command.leap, command.folder, console)
    if not command.self_check:
        console.print(listing())
        return DONE
    console.print("Measuring the instrument alone, about 20 s", highlight=False)
    return show_self_check(command.program, console)


def _measure_all(command: Command, console: Console, done: Callable[[Path], object] | None) -> int:
    leap = command.leap or Leap()
    duration_s = leap.seconds + sum(seconds(plan) for each in command.every for plan in plans(each))
    console.print(
        f"{len(command.every) + 1} experiments, about {duration_s / 60:.0f} minutes, into "
        f"{command.folder}",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )
    codes = []
    for ambition in command.every:
        folder = command.folder / ambition.scenario.name
        earlier = holds_runs(folder)
        codes.append(measure(command.program, ambition, folder, console))
        if done is not None and (codes[-1] != FAILED or (holds_runs(folder) and not earlier)):
            codes[-1] = STOPPED if done(folder) == STOPPED else codes[-1]
        if codes[-1] == STOPPED:
            console.print("Stopped: what was measured is kept.")
            return STOPPED
    codes.append(show_leap(command.program, leap, command.folder / LEAP, console))
    return max(codes)  # FAILED when one could not be made: the others are kept


async def _run(ambition: Ambition, folder: Path, watcher: Watcher) -> None:
    drawing = asyncio.create_task(watcher.keep_drawing())
    try:
        await experiment(ambition, folder, watcher)
    finally:
        drawing.cancel()
