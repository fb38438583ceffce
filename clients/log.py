"""The log of an experiment: the contract between measuring and analysis.

One folder per experiment, plain CSV that opens anywhere. Raw events only: no averages here.
All stamps are `time.perf_counter_ns` of one machine.
"""

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import polars as pl

EXPERIMENT = "experiment.json"
RUNS = "runs.csv"
REQUESTS = "requests.csv"
DELIVERIES = "deliveries.csv"
WIRE = "wire.json"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What one run is to be: who reads, how often something is published, for how long.

    rtt_ms, jitter_ms, kbit_per_s: the emulated line between clients and server; 0 is none
    schedule: how messages are spaced, "poisson" or "periodic"
    keepalive: polls share a connection; deflate: WebSockets compress
    stall_s: for so long the server's process is stopped in the middle of the window
    timer: what short polling's interval is counted from: "after" the response, or a fixed "grid"
    sample_limit: so many clients at most are measured; the rest of a crowd is counted
    """

    clients: int
    rate_per_s: float
    interval_s: float
    hold_s: float
    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    kbit_per_s: float = 0.0
    payload_bytes: int = 64
    duration_s: float
    warmup_s: float
    schedule: str = "poisson"
    keepalive: bool = True
    deflate: bool = False
    stall_s: float = 0.0
    timer: str = "after"
    sample_limit: int = 100


class Request(msgspec.Struct, frozen=True):
    """One request of one client; a WebSocket session is one request, from upgrade to close.

    status: the HTTP status, 0 when no response came
    messages: messages that its response, or its session, brought
    connection: which of the run's TCP connections carried it, 0 when none could be opened
    """

    run: int
    client: int
    started_ns: int
    ended_ns: int
    status: int
    messages: int
    bytes_up: int
    bytes_down: int
    connection: int


class Delivery(msgspec.Struct, frozen=True):
    """One message reaching one client.

    sent_ns: when the publisher meant to send it
    published_ns: when it entered the feed
    arrived_ns: when its last byte reached the client's process
    received_ns: when it reached the reader
    """

    run: int
    client: int
    message: int
    sent_ns: int
    published_ns: int
    arrived_ns: int
    received_ns: int


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One run: a fresh server, one mode, one setting; and what was seen of it from outside.

    Figures that were not measured are None, and empty in the file.

    setting: number of the setting within the scenario, from 0; order: place in the experiment
    window_start_ns, window_end_ns: what lies before is warm-up, what lies after is draining.
        Warm-up messages are evenly spaced on an idle server, so they give the unit costs
    messages: messages published in the window, with consecutive ids from first_message on
    published: messages published in all; publish_failures: publishes that were not answered 201
    deliveries, requests, connections, bytes_up, bytes_down: the counts of all clients, whole run
    crowd_clients: so many of the clients are only counted, by bare readers in another process, and
        have no rows in the other files; crowd_requests, crowd_deliveries, crowd_bytes_up,
        crowd_bytes_down: their part of the counts, None when the run ended before they reported
    crowd_window_deliveries: to them, of the messages published in the window
    crowd_cpu_share: as client_cpu_share, of the process that they are in
    request_head_bytes, response_head_bytes, handshake_bytes, frame_bytes, body_bytes: what the
        bytes of the measured requests of the window (a WebSocket's session whole) consist of. The
        upgrade, the 101 and the frames that are not messages are handshake; frame heads, masks,
        pings and closes are frames; a poll's body, and a frame's text, are body
    server_cpu_s: user and system time of the server over the window
    server_rss_before_bytes, server_rss_bytes: before the clients connected, and at the window's end
    server_lag_max_ms: by how much the server's event loop was late at most, over its last 10 s
    client_cpu_share: CPU time of the measuring process over the window / the window
    reader_p99_ms: from a message's arrival in the measuring process to its reader
    client_lag_p99_ms: by how much its event loop was late; publisher_late_p99_ms: likewise
    server_requests, server_deliveries, server_bytes_in, server_bytes_out: the server's own counts
    lost, duplicates, out_of_order: against the ids published, over the whole run
    interrupted: the run was ended before its time
    valid: every check held; void_because: which did not, in words
    """

    run: int
    mode: str
    trial: int
    setting: int
    order: int
    clients: int
    rate_per_s: float
    interval_s: float
    hold_s: float
    rtt_ms: float
    jitter_ms: float = 0.0
    kbit_per_s: float = 0.0
    payload_bytes: int
    duration_s: float
    warmup_s: float
    schedule: str
    keepalive: bool = True
    deflate: bool = False
    stall_s: float = 0.0
    timer: str = "after"
    sample_limit: int = 100
    seed: int
    started_utc: str
    window_start_ns: int | None = None
    window_end_ns: int | None = None
    first_message: int | None = None
    messages: int | None = None
    published: int = 0
    publish_failures: int = 0
    deliveries: int = 0
    requests: int = 0
    connections: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    request_head_bytes: int = 0
    response_head_bytes: int = 0
    handshake_bytes: int = 0
    frame_bytes: int = 0
    body_bytes: int = 0
    crowd_clients: int = 0
    crowd_requests: int | None = 0
    crowd_deliveries: int | None = 0
    crowd_window_deliveries: int | None = 0
    crowd_bytes_up: int | None = 0
    crowd_bytes_down: int | None = 0
    crowd_cpu_share: float | None = None
    server_cpu_s: float | None = None
    server_rss_before_bytes: int | None = None
    server_rss_bytes: int | None = None
    server_lag_max_ms: float | None = None
    client_cpu_share: float | None = None
    client_lag_p99_ms: float | None = None
    reader_p99_ms: float | None = None
    publisher_late_p99_ms: float | None = None
    server_requests: int | None = None
    server_deliveries: int | None = None
    server_bytes_in: int | None = None
    server_bytes_out: int | None = None
    lost: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    interrupted: bool = False
    valid: bool = False
    void_because: str = ""


class Experiment(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment set out to do, where and with what."""

    scenario: str
    question: str
    modes: tuple[str, ...]
    settings: tuple[Settings, ...]
    trials: int
    seed: int
    url: str | None
    started_utc: str
    machine: dict[str, Any]
    versions: dict[str, str]
    clock_resolution_ns: float
    finished: bool = False


class Exchange(msgspec.Struct, frozen=True):
    """All bytes of one delivered message, up and down, each byte one character (Latin-1).

    Of a poll: the request and its answer; of a WebSocket: from the upgrade to the first message.
    """

    up: str
    down: str


class LogError(Exception):
    """A folder cannot be used as a log; the message says why and what to do."""


def make_folder(folder: Path) -> None:
    """Make a folder, or take an empty one; raise LogError when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise LogError(f"{folder} is not empty: choose another folder with --out")
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None


class Writer:
    """Write an experiment's log run by run, so that what has been measured is on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def start(self, experiment: Experiment) -> None:
        """Make the folder and its files; raise LogError when that cannot be."""
        make_folder(self.folder)
        try:
            self.describe(experiment)
            for record, name in FILES.items():
                self._append(name, [record.__struct_fields__])
        except OSError as error:
            raise LogError(f"cannot write to {self.folder}: {error.strerror or error}") from None

    def describe(self, experiment: Experiment) -> None:
        """Write `experiment.json`, again when the experiment has finished."""
        text = msgspec.json.format(msgspec.json.encode(experiment), indent=2)
        (self.folder / EXPERIMENT).write_bytes(text + b"\n")

    def add(self, run: Run, requests: Sequence[Request], deliveries: Sequence[Delivery]) -> None:
        """Append a run's rows; its own row comes last, when the others are safe."""
        self._append(REQUESTS, map(msgspec.structs.astuple, requests))
        self._append(DELIVERIES, map(msgspec.structs.astuple, deliveries))
        self._append(RUNS, [map(_cell, msgspec.structs.astuple(run))])

    def wire(self, exchanges: dict[str, Exchange]) -> None:
        """Write the bytes of one delivery of each mode."""
        text = msgspec.json.format(msgspec.json.encode(exchanges), indent=2)
        (self.folder / WIRE).write_bytes(text + b"\n")

    def _append(self, name: str, rows: Iterable[Iterable[object]]) -> None:
        with (self.folder / name).open("a", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(rows)  # None becomes an empty cell


def _cell(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


# Columns of runs.csv that the first logs were made without. A log that lacks any other is damaged,
# and what is not there must not pass for what was not seen.
ADDED_LATER = frozenset(
    {
        *("jitter_ms", "kbit_per_s", "keepalive", "deflate", "stall_s", "timer", "sample_limit"),
        *("crowd_clients", "crowd_requests", "crowd_deliveries", "crowd_window_deliveries"),
        *("crowd_bytes_up", "crowd_bytes_down", "crowd_cpu_share"),
        *("server_lag_max_ms", "reader_p99_ms"),
    }
)


class Log(msgspec.Struct, frozen=True):
    """A log as it was read: the experiment, and one data frame for each file.

    runs, requests, deliveries: columns as the fields of Run, Request and Delivery, in order
    wire: the bytes of one delivery, by mode, where they were kept
    faults: what of the files could not be used, in words
    """

    experiment: Experiment
    runs: pl.DataFrame
    requests: pl.DataFrame
    deliveries: pl.DataFrame
    wire: dict[str, Exchange] = {}
    faults: tuple[str, ...] = ()


def read(folder: Path) -> Log:
    """Read a log; raise LogError when the folder is not one, or it cannot be what was written.

    A column must be there, unless it is one of ADDED_LATER; a run must stand there once. A last
    line that was cut off, as a killed program leaves it, is left out; a run of which rows are
    missing is void.
    """
    if not folder.is_dir():
        raise LogError(f"{folder} is not a folder: give the folder of an experiment")
    experiment = _read_experiment(folder / EXPERIMENT)
    rows = {record: _read_rows(folder / name, record) for record, name in FILES.items()}
    runs = rows[Run]
    _refuse_repeated(runs, folder / RUNS)
    faults = [
        f"the last line of {name} was cut off and is left out"
        for name in FILES.values()
        if _is_cut_off(folder / name)
    ]
    for record in (Request, Delivery):
        runs, missing = _void_incomplete(runs, rows[record], FILES[record].removesuffix(".csv"))
        faults += missing
    wire = _read_wire(folder / WIRE)
    return Log(experiment, runs, rows[Request], rows[Delivery], wire, tuple(faults))


def _is_cut_off(path: Path) -> bool:
    """Tell whether a file ends within a line: each line that was written whole has its end."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read(1) not in {b"", b"\n"}


def _refuse_repeated(runs: pl.DataFrame, path: Path) -> None:
    """Raise LogError when a run stands in the file twice: its rows would count for both."""
    repeated = runs.filter(pl.col("run").is_duplicated())["run"].unique().sort()
    if repeated.len():
        numbers = ", ".join(map(str, repeated))
        raise LogError(f"{path} holds run {numbers} more than once: keep one row for each run")


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
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Exchange])
    except (OSError, ValueError) as error:
        raise LogError(f"{path} cannot be read ({error}): remove it to do without") from None


def _read_experiment(path: Path) -> Experiment:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Experiment)
    except OSError as error:
        raise LogError(
            f"cannot read {path} ({error.strerror}): is it an experiment's folder?"
        ) from None
    except ValueError as error:
        raise LogError(f"{path} is not an experiment's description: {error}") from None


def _read_rows(path: Path, record: type[msgspec.Struct]) -> pl.DataFrame:
    try:
        header = pl.read_csv(_whole_lines(path), n_rows=0).columns
    except OSError as error:
        raise LogError(f"cannot read {path} ({error}): is it an experiment's folder?") from None
    except pl.exceptions.PolarsError:
        raise LogError(f"{path} is empty: measure again, or take another folder") from None
    fields = record.__struct_fields__
    if missing := [name for name in fields if name not in header and name not in ADDED_LATER]:
        raise LogError(f"{path} has no column {', '.join(missing)}: it was made by something else")
    try:
        return _parse(path, record).select(fields)
    except pl.exceptions.PolarsError as error:
        line = str(error).splitlines()[0]
        raise LogError(f"{path} cannot be read ({line}): measure again") from None


def _parse(path: Path, record: type[msgspec.Struct]) -> pl.DataFrame:
    """Read the rows; a column of ADDED_LATER has its default in an older log."""
    columns = _columns(record)
    rows = pl.read_csv(_whole_lines(path), schema_overrides=columns)
    added = {
        field.name: pl.lit(field.default, columns[field.name])
        for field in msgspec.structs.fields(record)
        if field.name not in rows.columns
    }
    return rows.with_columns(**added).with_columns(pl.col(pl.String).fill_null(""))


def _whole_lines(path: Path) -> Path | bytes:
    """Return the file, or without its last line's rest where that was cut off."""
    if not _is_cut_off(path):
        return path
    text = path.read_bytes()
    return text[: text.rfind(b"\n") + 1]


def _columns(record: type[msgspec.Struct]) -> dict[str, Any]:
    hints = get_type_hints(record)
    return {name: _column(hints[name]) for name in record.__struct_fields__}


def _column(hint: object) -> Any:
    kinds = {int: pl.Int64, float: pl.Float64, bool: pl.Boolean, str: pl.String}
    return next(kind for of, kind in kinds.items() if of is hint or of in get_args(hint))


FILES: dict[type[msgspec.Struct], str] = {Run: RUNS, Request: REQUESTS, Delivery: DELIVERIES}
