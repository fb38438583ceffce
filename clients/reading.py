"""Read a log: data frames as the records say, and LogError where a file cannot be what was written.

No figure is computed here.
"""

from pathlib import Path

import msgspec
import polars as pl

from clients.errors import LogError
from clients.injected import BESIDE, FAULTS
from clients.records import (
    EXPERIMENT,
    FILES,
    RUNS,
    WIRE,
    Delivery,
    Exchange,
    Experiment,
    Request,
    Run,
)
from clients.rows import fault_of, no_rows, read_rows


class Beside(msgspec.Struct, frozen=True):
    """What stands beside runs into which faults were injected: data frames of each file.

    faults: columns as the fields of Fault; requests, deliveries: of the readers without a cursor
    """

    faults: pl.DataFrame
    requests: pl.DataFrame
    deliveries: pl.DataFrame


class Log(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """A log as it was read: the experiment, and one data frame for each file; it is but itself.

    runs, requests, deliveries: columns as the fields of Run, Request and Delivery, in order
    wire: the bytes of one delivery, by mode, where they were kept
    faults: what of the files could not be used, in words
    beside: what stands beside the runs, where faults were injected
    """

    experiment: Experiment
    runs: pl.DataFrame
    requests: pl.DataFrame
    deliveries: pl.DataFrame
    wire: dict[str, Exchange] = {}
    faults: tuple[str, ...] = ()
    beside: Beside | None = None


def read(folder: Path) -> Log:
    """Read a log; raise LogError when the folder is not one, or it cannot be what was written.

    A column must be there, unless it is one of ADDED_LATER; a run must stand there once. What was
    cut off, as a killed program leaves it, is left out and is a fault: a last line, or the rows of
    a file without a whole head. A run of which rows are missing is void.
    """
    if not folder.is_dir():
        raise LogError(f"{folder} is not a folder: give the folder of an experiment")
    experiment = _read_experiment(folder / EXPERIMENT)
    rows = {record: read_rows(folder / name, record) for record, name in FILES.items()}
    runs = rows[Run]
    _refuse_repeated(runs, folder / RUNS)
    names = [*FILES.values(), *(BESIDE if (folder / FAULTS).exists() else ())]
    faults = [fault for name in names if (fault := fault_of(folder / name))]
    faults += _without_row(runs, rows[Request], rows[Delivery])
    for record in (Request, Delivery):
        runs, missing = _void_incomplete(runs, rows[record], FILES[record].removesuffix(".csv"))
        faults += missing
    try:
        wire = _read_wire(folder / WIRE)
    except (OSError, ValueError) as error:
        wire = {}
        faults.append(f"{WIRE} cannot be read ({error}) and is left out")
    beside = _read_beside(folder)
    return Log(experiment, runs, rows[Request], rows[Delivery], wire, tuple(faults), beside)


def _read_beside(folder: Path) -> Beside | None:
    """Read what stands beside the runs; None where no fault was injected."""
    if not (folder / FAULTS).exists():
        return None
    # Its files are made one after another, when the first faults are over.
    files = {folder / name: each for name, each in BESIDE.items()}
    made = (read_rows(at, each) if at.exists() else no_rows(each) for at, each in files.items())
    return Beside(*made)


def _refuse_repeated(runs: pl.DataFrame, path: Path) -> None:
    """Raise LogError when a run stands in the file twice: its rows would count for both."""
    repeated = runs.filter(pl.col("run").is_duplicated())["run"].unique().sort()
    if repeated.len():
        numbers = ", ".join(map(str, repeated))
        raise LogError(f"{path} holds run {numbers} more than once: keep one row for each run")


def _without_row(runs: pl.DataFrame, *events: pl.DataFrame) -> list[str]:
    """Count the runs that have events and no row of their own, which comes last."""
    seen = {run for rows in events for run in rows["run"].unique()}
    left_out = len(seen - set(runs["run"]))
    runs_have = "1 run has" if left_out == 1 else f"{left_out} runs have"
    return [f"{runs_have} rows and none in {RUNS}: killed, or cut off, and left out"] * (
        left_out > 0
    )


def _void_incomplete(
    runs: pl.DataFrame, rows: pl.DataFrame, what: str
) -> tuple[pl.DataFrame, list[str]]:
    """Mark the runs that counted more than there are rows, and say which they are."""
    there = rows.group_by("run").agg(there=pl.len())
    runs = runs.join(there, on="run", how="left", maintain_order="left")
    measured = pl.col(what) - pl.col(f"crowd_{what}").fill_null(0)  # a crowd has no rows
    found = pl.col("there").fill_null(0)
    short = measured > found
    fault = pl.format(
        f"only {{}} of {{}} {what} are in the file: rows are missing", found, measured
    )
    because = pl.concat_str("void_because", fault, separator="; ").str.strip_prefix("; ")
    faults = runs.filter(short).select(pl.format("run {} is void: {}", "run", fault))
    runs = runs.with_columns(
        valid=pl.col("valid") & ~short,
        void_because=pl.when(short).then(because).otherwise("void_because"),
    )
    return runs.drop("there"), faults.to_series().to_list()


def _read_wire(path: Path) -> dict[str, Exchange]:
    if not path.exists():
        return {}
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Exchange])


def _read_experiment(path: Path) -> Experiment:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Experiment)
    except OSError as error:
        raise LogError(
            f"cannot read {path} ({error.strerror}): is it an experiment's folder?"
        ) from None
    except ValueError as error:
        raise LogError(f"{path} is not an experiment's description: {error}") from None
