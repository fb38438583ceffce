"""Time the analysis of a large log: `python tests/bench/analysis.py [DELIVERIES]`.

The log is made up, and written as an experiment would have; the analysis runs as its users run it.
Aim: a million deliveries in less than 10 s and 1 GiB.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import polars as pl

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from clients.log import DELIVERIES, REQUESTS, RUNS  # noqa: E402
from tests.made_log import SETTINGS, make_log  # noqa: E402

WANTED = 1_000_000
AIM_S, AIM_MIB = 10.0, 1024.0


def main() -> None:
    """Make a log, analyse it, print what that took."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else WANTED
    with tempfile.TemporaryDirectory() as parent:
        folder = make_log(Path(parent) / "log", [SETTINGS], trials=3)
        deliveries = enlarge(folder, wanted)
        begun = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "analysis", str(folder)], cwd=ROOT, check=False, text=True
        )
        took_s = time.perf_counter() - begun
        size_mib = sum(path.stat().st_size for path in folder.glob("*.csv")) / 2**20
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{deliveries:,} deliveries, {size_mib:.0f} MiB of CSV, exit code {done.returncode}")
    print(f"time {took_s:.1f} s, {took_s / AIM_S:.2f} of the aim of {AIM_S:.0f} s")
    print(f"peak {peak_mib:.0f} MiB, {peak_mib / AIM_MIB:.2f} of the aim of {AIM_MIB:.0f} MiB")


def enlarge(folder: Path, wanted: int) -> int:
    """Repeat each client's rows under new numbers until there are enough; return how many."""
    deliveries = pl.read_csv(folder / DELIVERIES)
    times = -(-wanted // deliveries.height)
    for name in (DELIVERIES, REQUESTS):
        rows = pl.read_csv(folder / name)
        clones = pl.DataFrame({"clone": range(times)})
        many = rows.join(clones, how="cross").with_columns(
            client=pl.col("client") + pl.col("clone") * SETTINGS.clients
        )
        many.sort("run", maintain_order=True).select(rows.columns).write_csv(folder / name)
    runs = pl.read_csv(folder / RUNS)
    totals = ("clients", "deliveries", "requests", "server_deliveries", "server_requests")
    runs.with_columns(pl.col(totals) * times).write_csv(folder / RUNS)
    return deliveries.height * times


if __name__ == "__main__":
    main()
