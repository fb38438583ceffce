"""Run an experiment from a terminal: progress, Ctrl-C, and errors in one line."""

import asyncio
import contextlib
import gc
import signal
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from clients.experiment import Ambition, experiment, plans, seconds
from clients.log import LogError
from clients.options import Command
from clients.progress import Watcher
from clients.scenarios import SCENARIOS
from clients.self_check import show_self_check
from clients.server import ServerError

DONE, FAILED, STOPPED = 0, 2, 130


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
    try:
        with Watcher(console, planned) as watcher:
            asyncio.run(_run(ambition, folder, watcher))
    except (LogError, ServerError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return FAILED
    except (KeyboardInterrupt, asyncio.CancelledError):
        return STOPPED
    return DONE


def listing() -> Table:
    """Name each scenario, the question it answers, what to expect, and how long it takes."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("scenario", "question", "what to expect", "takes"):
        table.add_column(heading, overflow="fold")
    for scenario in SCENARIOS.values():
        duration_s = sum(map(seconds, plans(Ambition(scenario, seed=0))))
        table.add_row(scenario.name, scenario.question, scenario.expected, f"{duration_s:.0f} s")
    return table


def instead(command: Command, console: Console) -> int:
    """Do what was asked for instead of measuring: the list, or the self-check."""
    if not command.self_check:
        console.print(listing())
        return DONE
    console.print("Measuring the instrument alone, about 15 s", highlight=False)
    return show_self_check(console)


async def _run(ambition: Ambition, folder: Path, watcher: Watcher) -> None:
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    drawing = asyncio.create_task(watcher.keep_drawing())
    try:
        await experiment(ambition, folder, watcher)
    finally:
        drawing.cancel()
