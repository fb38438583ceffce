"""Analyse an experiment's folder: read the argument, draw, print."""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from analysis.drawing import write
from analysis.summary import summarise
from analysis.table import print_table
from clients.log import LogError, read

PROGRAM = "python -m analysis"


def main(arguments: list[str] | None = None) -> int:
    """Analyse; return the exit code."""
    folder = parse(sys.argv[1:] if arguments is None else arguments).folder
    try:
        log = read(folder)
        summary = summarise(log)
        report = write(folder, log, summary)
    except LogError as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 2
    print_table(log, summary, Console())
    print(f"Report: {report}")
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; exit with 2 and one line when it is wrong."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=argparse.SUPPRESS,
        description=f"{PROGRAM} DIR: write summary.csv, charts and report.html into DIR",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of an experiment")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
