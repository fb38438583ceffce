"""Analyse an experiment's folder, or hold two against each other: read arguments, draw, print."""

import argparse
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from analysis.account import missing
from analysis.against import hold
from analysis.against_page import print_comparison, write_comparison
from analysis.answers import answer
from analysis.capacity_command import NAME, capacity
from analysis.collection import is_collection, read_collection, whole
from analysis.collection_drawing import write_collection
from analysis.drawing import Drawn, write, write_empty
from analysis.faults_printed import print_faults
from analysis.faults_words import wrong_with_cursor
from analysis.runs import with_void
from analysis.summary import summarise
from analysis.table import print_table
from clients.log import Log, LogError, read

PROGRAM = "python -m analysis"
GOOD, BAD, STOPPED = 0, 2, 130
ALL_VOID = "every run is void: the report says why; measure again on a quiet machine"


def main(arguments: list[str] | None = None) -> int:
    """Analyse; return the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        with _stoppable():
            return run(arguments)
    except KeyboardInterrupt:
        complain("stopped: the log is as it was, and can be drawn again")
        return STOPPED


def run(arguments: list[str]) -> int:
    """Do what the arguments say; return the exit code."""
    if arguments[:1] == [NAME]:
        return plan(arguments[1:])
    command = parse(arguments)
    try:
        if command.other is None:
            return analyse(command.folder)
        return compare(command.folder, command.other, command.out or command.other)
    except LogError as error:
        complain(str(error))
        return BAD


def plan(arguments: list[str]) -> int:
    """Say what a crowd needs; return the exit code."""
    try:
        capacity(PROGRAM, arguments, Console())
    except LogError as error:
        complain(str(error))
        return BAD
    return GOOD


def over_all(folder: Path) -> int:
    """Write one report over what was measured and drawn, if anything was; return the exit code."""
    try:
        return analyse_all(folder) if is_collection(folder) else BAD
    except LogError as error:
        complain(str(error))
        return BAD


def analyse(folder: Path) -> int:
    """Draw one experiment, or each of a collection and then one report over all of it.

    A log without a good run, with rows missing, or with messages that a fault cost a reader who
    keeps a cursor, is shown, and is bad all the same.
    """
    if is_collection(folder):
        return analyse_all(folder, each=True)
    log = _read(folder)
    if log.runs.is_empty():
        report = write_empty(folder, log)
        raise LogError(f"the log holds no run: measure again, and let a run end ({report})")
    _draw(folder, log)
    if _is_void(log):
        complain(ALL_VOID)
        return BAD
    if wrong := wrong_with_cursor(log):
        complain(f"readers with a cursor lost, or had twice or out of order, {wrong} messages")
        return BAD
    return BAD if log.faults else GOOD


def analyse_all(folder: Path, *, each: bool = False) -> int:
    """Write one report over a collection; each: draw its experiments' own reports first.

    It is bad when one of them cannot be read as a whole, or has no good run; the others are shown.
    """
    collection = read_collection(folder)
    for line in missing(collection):
        complain(line)
    made = {}
    for member in collection.members if each else ():
        if member.log.runs.is_empty():
            write_empty(folder / member.name, member.log)
        else:
            made[member.name] = _draw(folder / member.name, member.log)
    page, parts = write_collection(folder, collection, made)
    for part in parts:
        print(f"{part.name}: {answer(part.log, part.rows) or 'no answer'}.")
    print(f"Report of all: {page}")
    return GOOD if whole(collection) else BAD


def _draw(folder: Path, log: Log) -> Drawn:
    summary = summarise(log)
    drawn = write(folder, log, summary)
    print_table(log, summary, Console())
    print_faults(log, Console())
    print(f"Report: {drawn.report}")
    return drawn


def compare(before: Path, after: Path, out: Path) -> int:
    """Compare two experiments.

    What two scenarios share is shown, and is bad all the same; so is a log with rows missing, or
    without a good run. Two that share nothing are shown each by itself.
    """
    names, logs = (str(before), str(after)), (_read(before), _read(after))
    try:
        held = hold(*logs, names)
    except LogError:
        _show_each(names, logs)
        raise
    page = write_comparison(out, held)
    print_comparison(held, Console())
    print(f"Comparison: {page}")
    first, second = (log.experiment.scenario for log in logs)
    if first != second:
        complain(f"{first} and {second} are two scenarios: give two experiments of one")
    void = [name for name, log in zip(names, logs, strict=True) if _is_void(log)]
    for name in void:
        complain(f"{name}: {ALL_VOID}")
    return BAD if held.faults or first != second or void else GOOD


def _show_each(names: Sequence[str], logs: Sequence[Log]) -> None:
    for name, log in zip(names, logs, strict=True):
        if log.runs.height:
            print(f"{name}:")
            print_table(log, summarise(log), Console())


def _is_void(log: Log) -> bool:
    return bool(with_void(log.runs)["void"].all())


def complain(line: str) -> None:
    """Print a line for the person at the terminal."""
    print(f"{PROGRAM}: {line}", file=sys.stderr)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Take SIGTERM for a Ctrl-C: neither is to leave a traceback."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _read(folder: Path) -> Log:
    log = read(folder)
    for fault in log.faults:
        complain(f"{folder}: {fault}")
    return log


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; exit with 2 and one line when it is wrong."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=argparse.SUPPRESS,
        description=f"{PROGRAM} DIR: write summary.csv, charts and report.html into DIR; where DIR "
        "holds experiments, into each of them, and one report over all into DIR. "
        f"{PROGRAM} A B: compare two experiments, and write comparison.html and .csv into B. "
        f"{PROGRAM} {NAME} --help: what a crowd of any size needs",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="folder of an experiment")
    parser.add_argument("other", metavar="B", type=Path, nargs="?", help="another, to compare with")
    parser.add_argument("--out", type=Path, help="where a comparison is written to, if not into B")
    command = parser.parse_args(arguments)
    if command.out is not None and command.other is None:
        parser.error("--out is for a comparison: give two folders")
    return command


if __name__ == "__main__":
    sys.exit(main())
