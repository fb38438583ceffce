"""The one command: measure a scenario, then draw what was measured."""

import sys

from rich.console import Console

from analysis.__main__ import main as analyse
from analysis.__main__ import over_all
from clients.measuring import DONE, FAILED, command_line, holds_runs, instead, measure
from clients.options import Command

PROGRAM = "compare"


def main() -> int:
    """Do what the arguments say; return the exit code."""
    return command_line(PROGRAM, run, default="quick")


def run(command: Command, console: Console) -> int:
    """Measure and draw; return the exit code."""
    if command.ambition is None:
        code = instead(command, console, lambda folder: analyse([str(folder)]))
        return max(code, over_all(command.folder)) if command.every else code
    earlier = holds_runs(command.folder)
    code = measure(PROGRAM, command.ambition, command.folder, console)
    if code == FAILED and (earlier or not holds_runs(command.folder)):
        return code
    if code != DONE:
        console.print("Stopped: this is what was measured before.")
    analysed = analyse([str(command.folder)])
    return code or analysed


if __name__ == "__main__":
    sys.exit(main())
