"""Measure: read the arguments, run the experiment, say where the log is."""

import sys

from rich.console import Console

from clients.measuring import FAILED, STOPPED, instead, measure
from clients.options import parse

PROGRAM = "python -m clients"


def main() -> int:
    """Run one experiment; return the exit code."""
    command = parse(PROGRAM, sys.argv[1:])
    console = Console()
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
