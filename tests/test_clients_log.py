"""What is written to the log is read back, and a folder that is no log is refused in one line."""

import shutil
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pytest

from clients.injected import FAULTS
from clients.log import (
    ADDED_LATER,
    BESIDE,
    DELIVERIES,
    EXPERIMENT,
    REQUESTS,
    RUNS,
    WIRE,
    Delivery,
    Exchange,
    Experiment,
    Fault,
    LogError,
    Request,
    Run,
    Settings,
    Writer,
    read,
)
from tests.test_clients_checks import SOUND as CHECKED

SOUND = msgspec.structs.replace(CHECKED, deliveries=1, valid=True)
EXPERIMENT_ROW = Experiment(
    scenario="quick",
    question="?",
    modes=("short", "ws"),
    settings=(
        Settings(clients=2, rate_per_s=5, interval_s=1, hold_s=25, duration_s=1, warmup_s=0.5),
    ),
    trials=1,
    seed=1,
    url=None,
    started_utc="2026-01-01T00:00:00+00:00",
    machine={"cores": 2},
    versions={"python": "3.11"},
    clock_resolution_ns=1.0,
)
REQUEST = Request(1, 2, 10**15, 10**15 + 5, 204, 0, 168, 125, 1)
REQUEST_OF_2 = msgspec.structs.replace(REQUEST, run=2)
DELIVERY = Delivery(1, 2, 7, 10**15, 10**15 + 1, 10**15 + 2, 10**15 + 3)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    writer = Writer(tmp_path / "log")
    writer.start(EXPERIMENT_ROW)
    writer.add(SOUND, [REQUEST, REQUEST], [DELIVERY])
    return writer.folder


def test_log_is_read_back_as_it_was_written(folder: Path) -> None:
    log = read(folder)
    assert log.experiment == EXPERIMENT_ROW
    assert log.runs.row(0) == msgspec.structs.astuple(SOUND)
    assert log.requests.rows() == [msgspec.structs.astuple(REQUEST)] * 2
    assert log.deliveries.rows() == [msgspec.structs.astuple(DELIVERY)]


def test_columns_are_those_of_the_contract(folder: Path) -> None:
    assert (folder / REQUESTS).read_text().splitlines()[0] == (
        "run,client,started_ns,ended_ns,status,messages,bytes_up,bytes_down,connection"
    )
    assert (folder / DELIVERIES).read_text().splitlines()[0] == (
        "run,client,message,sent_ns,published_ns,arrived_ns,received_ns"
    )


def test_figure_that_was_not_measured_is_empty_and_never_zero(folder: Path) -> None:
    unmeasured = msgspec.structs.replace(SOUND, run=2, server_cpu_s=None)
    Writer(folder).add(unmeasured, [], [])
    header, _, line = (folder / RUNS).read_text().splitlines()
    assert dict(zip(header.split(","), line.split(","), strict=True))["server_cpu_s"] == ""
    assert read(folder).runs["server_cpu_s"].to_list() == [0.5, None]


def test_runs_add_up_in_the_files(folder: Path) -> None:
    Writer(folder).add(msgspec.structs.replace(SOUND, run=2), [REQUEST], [])
    assert read(folder).runs["run"].to_list() == [1, 2]
    assert read(folder).requests.height == 3


def test_extra_column_is_no_fault(folder: Path) -> None:
    path = folder / DELIVERIES
    lines = path.read_text().splitlines()
    path.write_text("".join(f"{line},{extra}\n" for line, extra in zip(lines, "xy", strict=True)))
    assert read(folder).deliveries.width == 7


def test_folder_in_use_is_refused(folder: Path) -> None:
    with pytest.raises(LogError, match=r"not empty.*--out"):
        Writer(folder).start(EXPERIMENT_ROW)


def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LogError, match="cannot write"):
        Writer(tmp_path / "file" / "log").start(EXPERIMENT_ROW)


def test_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="not a folder"):
        read(tmp_path / "nowhere")


@pytest.mark.parametrize("name", [EXPERIMENT, RUNS, REQUESTS, DELIVERIES])
def test_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(LogError, match=name):
        read(folder)


@pytest.mark.parametrize("name", [RUNS, REQUESTS, DELIVERIES])
@pytest.mark.parametrize("left", [0, 7])
def test_file_that_was_cut_off_within_its_head_has_no_rows(
    folder: Path, name: str, left: int
) -> None:
    (folder / name).write_text((folder / name).read_text()[:left])
    log = read(folder)
    assert log.faults[0] == f"{name} was cut off within its head, and has no rows"
    assert not log.runs["valid"].any()


def test_kept_bytes_that_were_cut_off_are_left_out(folder: Path) -> None:
    Writer(folder).wire({"ws": Exchange("up", "down")})
    (folder / WIRE).write_bytes((folder / WIRE).read_bytes()[:-5])
    log = read(folder)
    assert log.wire == {}
    assert log.faults[0].startswith("wire.json cannot be read (")
    assert log.runs["valid"].all()


def test_missing_column_is_named(folder: Path) -> None:
    path = folder / DELIVERIES
    path.write_text(path.read_text().replace("arrived_ns", "arrived"))
    with pytest.raises(LogError, match=r"deliveries\.csv has no column arrived_ns"):
        read(folder)


def test_text_in_a_column_of_numbers_is_refused(folder: Path) -> None:
    path = folder / REQUESTS
    path.write_text(path.read_text().replace("204", "soon"))
    with pytest.raises(LogError, match=r"requests\.csv cannot be read"):
        read(folder)


def test_foreign_description_is_refused(folder: Path) -> None:
    (folder / EXPERIMENT).write_text('{"name": "something else"}')
    with pytest.raises(LogError, match="not an experiment"):
        read(folder)


def without(folder: Path, *names: str) -> None:
    """Take columns out of runs.csv."""
    pl.read_csv(folder / RUNS, infer_schema=False).drop(names).write_csv(folder / RUNS)


def test_columns_added_since_have_their_defaults_in_an_older_log(folder: Path) -> None:
    without(folder, *ADDED_LATER)
    runs = read(folder).runs
    assert runs.columns == list(SOUND.__struct_fields__)
    assert runs["keepalive"].to_list() == [True]
    assert runs["valid"].to_list() == [True]


@pytest.mark.parametrize("name", sorted(set(Run.__struct_fields__) - ADDED_LATER))
def test_no_other_column_of_a_run_can_be_missing(folder: Path, name: str) -> None:
    without(folder, name)
    with pytest.raises(LogError, match=rf"runs\.csv has no column {name}:"):
        read(folder)


def test_columns_added_later_are_columns() -> None:
    assert set(Run.__struct_fields__) > ADDED_LATER


def lines_left(path: Path, count: int) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:count]))


@pytest.mark.parametrize("left", [1, 2])  # the header, and a row
def test_a_run_of_which_requests_are_missing_is_void(folder: Path, left: int) -> None:
    lines_left(folder / REQUESTS, left)
    log = read(folder)
    reason = f"only {left - 1} of 2 requests are in the file: rows are missing"
    assert log.runs["valid"].to_list() == [False]
    assert log.runs["void_because"].to_list() == [reason]
    assert log.faults == (f"run 1 is void: {reason}",)


def test_only_the_run_of_which_deliveries_are_missing_is_void(folder: Path) -> None:
    other = msgspec.structs.replace(SOUND, run=2, valid=False, void_because="late")
    Writer(folder).add(other, [REQUEST_OF_2] * 2, [])
    log = read(folder)
    reason = "late; only 0 of 1 deliveries are in the file: rows are missing"
    assert log.runs["void_because"].to_list() == ["", reason]
    assert log.runs["valid"].to_list() == [True, False]


def test_what_is_counted_but_not_measured_is_not_missing(folder: Path) -> None:
    crowd: dict[str, Any] = {"crowd_clients": 7, "crowd_requests": 5, "crowd_deliveries": 9}
    run = msgspec.structs.replace(SOUND, run=2, requests=7, deliveries=9, **crowd)
    Writer(folder).add(run, [REQUEST_OF_2] * 2, [])
    assert read(folder).runs["valid"].to_list() == [True, True]
    assert read(folder).faults == ()


def test_a_run_that_stands_in_the_file_twice_is_refused(folder: Path) -> None:
    Writer(folder).add(SOUND, [], [])
    with pytest.raises(LogError, match=r"runs\.csv holds run 1 more than once"):
        read(folder)


def test_kept_bytes_are_read_back(folder: Path) -> None:
    assert read(folder).wire == {}
    exchange = Exchange("GET / HTTP/1.1\r\n\r\n", bytes(range(256)).decode("latin-1"))
    Writer(folder).wire({"ws": exchange})
    assert read(folder).wire == {"ws": exchange}


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(folder: Path, text: str) -> None:
    run = msgspec.structs.replace(SOUND, run=2, started_utc=text)
    Writer(folder).add(run, [], [])
    assert read(folder).runs["started_utc"][1] == f"'{text}"


# Disks that take nothing


def is_full(path: Path) -> None:
    """Let a file be one whose disk has no room."""
    rest = path.with_suffix(".kept")
    path.rename(rest)
    path.symlink_to("/dev/full")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_costs_the_run_and_none_of_the_rows_before_it(folder: Path) -> None:
    is_full(folder / DELIVERIES)
    run = msgspec.structs.replace(SOUND, run=2)
    line = r"No space left on device: run 2 is lost, the runs before it are kept"
    with pytest.raises(LogError, match=line):
        Writer(folder).add(run, [REQUEST_OF_2] * 2, [DELIVERY])
    (folder / DELIVERIES).unlink()
    (folder / DELIVERIES).with_suffix(".kept").rename(folder / DELIVERIES)
    log = read(folder)
    assert log.runs["run"].to_list() == [1]
    assert (log.requests.height, log.deliveries.height, log.faults) == (2, 1, ())


def test_a_folder_that_has_gone_costs_the_run_and_is_no_traceback(folder: Path) -> None:
    shutil.rmtree(folder)
    with pytest.raises(LogError, match="No such file or directory: run 1 is lost"):
        Writer(folder).add(SOUND, [], [])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_description_is_lost_only_to_a_whole_one(folder: Path) -> None:
    (folder / "experiment.part").symlink_to("/dev/full")
    finished = msgspec.structs.replace(EXPERIMENT_ROW, finished=True)
    with pytest.raises(LogError, match="No space left on device"):
        Writer(folder).describe(finished)
    assert read(folder).experiment == EXPERIMENT_ROW
    Writer(folder).describe(finished)
    assert read(folder).experiment == finished
    assert not (folder / "experiment.part").exists()


def test_what_stands_beside_faulty_runs_is_read_back_and_in_no_other_file(tmp_path: Path) -> None:
    folder = tmp_path / "log"
    writer = Writer(folder)
    writer.start(EXPERIMENT_ROW)
    assert read(folder).beside is None
    fault = Fault(1, "kill", 5, 9, 1000, None)
    request = Request(1, 1, 1, 2, 204, 0, 30, 40, 1)
    delivery = Delivery(1, 1, 7, 1, 2, 3, 4)
    for _ in range(2):
        writer.add_beside([fault], [request], [delivery])
    log = read(folder)
    assert log.beside is not None
    assert log.beside.faults.to_dicts() == [msgspec.structs.asdict(fault)] * 2
    assert log.beside.requests.to_dicts() == [msgspec.structs.asdict(request)] * 2
    assert log.beside.deliveries.to_dicts() == [msgspec.structs.asdict(delivery)] * 2
    assert log.requests.is_empty()
    assert log.deliveries.is_empty()


@pytest.mark.parametrize("name", BESIDE)
def test_what_is_missing_beside_faulty_runs_is_told(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "log"
    writer = Writer(folder)
    writer.start(EXPERIMENT_ROW)
    fault, request = Fault(1, "cut", 5, 9), Request(1, 1, 1, 2, 204, 0, 30, 40, 1)
    writer.add_beside([fault] * 2, [request] * 2, [Delivery(1, 1, 7, 1, 2, 3, 4)] * 2)
    rows = (folder / name).read_bytes()
    (folder / name).write_bytes(rows[:-3])
    assert read(folder).faults == (f"the last line of {name} was cut off and is left out",)
    if name != FAULTS:  # without that no fault has come
        (folder / name).unlink()
        log = read(folder)
        assert log.faults == (f"{name} is missing: killed before it was made, and taken for empty",)
        assert log.beside is not None
        assert log.beside.faults.height == 2
