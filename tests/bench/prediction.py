"""Foretell 10,000 clients from a run with 1,000, then measure them: CPU, memory, and what is lost.

`python -m tests.bench.prediction [--trials 3] [--seed 11] [--out DIR]`, which takes 12 minutes and
should have the machine to itself. The few ask and are told ten times as often as the many, so that
both keep one server process as busy. With `--out` of an earlier run, that is evaluated again.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import mean

import polars as pl
from rich.console import Console
from rich.table import Table

from analysis.capacity import GIB, Wish, need
from analysis.client_costs import client_costs
from analysis.modes import MODES
from analysis.step_costs import counted
from clients.log import Log, LogError, read

FEW, MANY = 1000, 10_000
RATE_PER_S, INTERVAL_S = 0.3, 10.0  # of the many
WHOLE = 0.95  # of a core: the many have one process
GOAL = 0.15
MEASURED = 20  # one by one: a message that woke a hundred at once would make their process late


@dataclass(frozen=True)
class Prediction:
    """A figure of a mode: what the few foretell, and each good run of the many."""

    mode: str
    figure: str
    predicted: float
    measured: tuple[float, ...]

    @property
    def ratio(self) -> float | None:
        """What was predicted, over the mean of what was measured."""
        return self.predicted / mean(self.measured) if self.measured else None


def main() -> int:
    """Measure what is not there yet, and print predictions beside measurements."""
    options = parse(sys.argv[1:])
    for name, clients in (("few", FEW), ("many", MANY)):
        folder = options.out / name
        if not folder.exists():
            command = commanded(clients, options.trials, options.seed, folder)
            print(" ".join(command[1:]), flush=True)
            subprocess.run(command, check=True)
    few, many = (read(options.out / name) for name in ("few", "many"))
    try:
        found = predictions(few, many)
    except LogError as error:  # a mode of which every run was void
        print(error, file=sys.stderr)
        return 1
    Console(width=130).print(table(found, many))
    return 0


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.prediction", description=__doc__)
    add = parser.add_argument
    add("--trials", type=int, default=3)
    add("--seed", type=int, default=11)
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    add("--out", type=Path, default=Path("runs") / f"{now}-prediction")
    return parser.parse_args(arguments)


def commanded(clients: int, trials: int, seed: int, folder: Path) -> list[str]:
    """Return the command that measures so many clients at the load of the others."""
    share = MANY / clients
    return [
        *(sys.executable, "-m", "clients", "quick"),
        *("--clients", str(clients)),
        *("--rate", f"{RATE_PER_S * share:g}", "--interval-s", f"{INTERVAL_S / share:g}"),
        *("--duration-s", "20", "--trials", str(trials), "--seed", str(seed)),
        *("--sample-limit", str(MEASURED)),
        *("--out", str(folder)),
    ]


def predictions(few: Log, many: Log) -> list[Prediction]:
    """Hold what the few foretell against the good runs of the many."""
    costs, runs = client_costs(few), counted(many)
    found = []
    for mode in MODES:
        rows = runs.filter(mode=mode)
        asked = many.runs.filter(mode=mode).row(0, named=True)
        wish = Wish(
            clients=asked["clients"],
            rate_per_s=asked["rate_per_s"],
            interval_s=asked["interval_s"],
            utilisation=WHOLE,
        )
        foretold = need(costs[mode], wish)
        cores = rows.select(pl.col("server_cpu_s") / pl.col("window_s")).to_series()
        mib = rows["server_rss_bytes"] / 2**20
        found += [
            Prediction(mode, "cores", foretold.busy_cores.value, tuple(cores)),
            Prediction(mode, "MiB", foretold.memory_gib.value * GIB / 2**20, tuple(mib)),
        ]
    return found


def table(found: list[Prediction], many: Log) -> Table:
    """Draw a row for each figure; what all runs lost or doubled, and how late the server was."""
    clients = max(many.runs["clients"].to_list())
    drawn = Table(title=f"{clients:,} clients, foretold and measured")
    figures = ("mode", "figure", "foretold", "measured", "ratio", "", "runs")
    headings = (*figures, "lost", "doubled", "loop late, ms")
    for heading in headings:
        drawn.add_column(heading, justify="left" if heading in headings[:2] else "right")
    for each in found:
        runs = many.runs.filter(mode=each.mode)
        within = each.ratio is not None and abs(each.ratio - 1) <= GOAL
        drawn.add_row(
            MODES[each.mode].name,
            each.figure,
            f"{each.predicted:.3g}",
            ", ".join(f"{figure:.3g}" for figure in each.measured) or "no good run",
            "" if each.ratio is None else f"{each.ratio:.2f}",
            "met" if within else "missed",
            f"{len(each.measured)} of {runs.height}",
            f"{_sum(runs, 'lost'):,}",
            f"{_sum(runs, 'duplicates'):,}",
            f"{max(filter(None, runs['server_lag_max_ms'].to_list()), default=0):.0f}",
        )
    return drawn


def _sum(runs: pl.DataFrame, name: str) -> int:
    return sum(runs[name].to_list())


if __name__ == "__main__":
    sys.exit(main())
