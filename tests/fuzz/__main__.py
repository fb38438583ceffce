"""Send a server thousands of bad inputs, and see after each that nobody else has noticed.

    python -m tests.fuzz --seed 1 --cases 20000 [-- options of python -m demo]

The same seed makes the same inputs. It ends with 1 when an answer was wrong, a reader disturbed, a
line printed that should not be, or memory not bounded, and says how to repeat just that case.
"""

import argparse
import asyncio
import sys
import time

from rich.console import Console

from tests.fuzz.kinds import KINDS
from tests.fuzz.run import Result, fuzz
from tests.fuzz.table import table


def main() -> int:
    """Fuzz, print the table, return the exit code."""
    options = parse(sys.argv[1:])
    console = Console(width=None if sys.stdout.isatty() else 140)
    names = [name for name in KINDS if not options.only or options.only in name]
    numbers = range(options.first, options.first + options.cases)
    begun_s = time.monotonic()
    with console.status("fuzzing"):
        result = asyncio.run(fuzz(names, options.seed, numbers, options.demo))
    console.print(table(result))
    console.print(summary(result, time.monotonic() - begun_s))
    for failure in result.failures:
        console.print(f"FAILED {failure}", style="red", markup=False, soft_wrap=True)
        only = f" --only '{options.only}'" if options.only else ""
        repeat = f"--seed {options.seed} --first {failure.number} --cases 1{only}"
        console.print(f"  again: python -m tests.fuzz {repeat}", markup=False, soft_wrap=True)
    return 1 if result.failures else 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--first", type=int, default=0, help="number of the first case")
    parser.add_argument("--only", default="", help="kinds whose names have this in them")
    parser.add_argument("demo", nargs="*", help="options of the server, after --")
    return parser.parse_args(arguments)


def summary(result: Result, seconds: float) -> str:
    """Say what the whole came to."""
    first, last = result.memory_mib[0], result.memory_mib[-1]
    return (
        f"{result.cases:,} cases in {seconds:.0f} s, {len(result.failures)} failed. "
        f"{result.checks:,} control messages reached each of four readers, once and in order, "
        f"after {result.slowest_check_s * 1e3:.0f} ms at most. "
        f"Memory of the server: {first:.0f} MiB after the first cases, {last:.0f} at the end, "
        f"{max(result.memory_mib):.0f} at most."
    )


if __name__ == "__main__":
    sys.exit(main())
