"""Measure: read the arguments, run the experiment, say where the log is."""

import sys

from rich.console import Console

from clients.measuring import FAILED, STOPPED, command_line, instead, measure
from clients.options import Command

PROGRAM = "python -m clients"


def main() -> int:
    """Do what the arguments say; return the exit code."""
    return command_line(PROGRAM, run)


def run(command: Command, console: Console) -> int:
    """Run one experiment, or do what was asked for instead; return the exit code."""
    if command.ambition is None:
        return instead(command, console)
    code = measure(PROGRAM, command.ambition, command.folder, console)
    if code != FAILED:
        console.print(f"The log is in {command.folder}", highlight=False, soft_wrap=True)
    if code == STOPPED:
        console.print("Stopped: it keeps the runs that were made.")
    return code


if __name__ == "__main__":
    sys.exit(main())
