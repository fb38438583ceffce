"""Where it was measured is said once for each machine, and what the line adds is not hidden."""

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.machine import about, absent, environments, line_added
from clients.log import Log
from tests.made_log import SETTINGS, made

FEW = replace(SETTINGS, duration_s=4, clients=2)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    far = replace(FEW, rtt_ms=100)
    return made(tmp_path_factory.mktemp("machine") / "log", FEW, far, trials=1)


def delayed(log: Log, by_ms: float) -> Log:
    """Let everything that goes over the line arrive so much later."""
    far = log.runs.filter(pl.col("rtt_ms") > 0)["run"].to_list()
    late = pl.when(pl.col("run").is_in(far)).then(round(by_ms * 1e6)).otherwise(0)
    return replace(log, deliveries=log.deliveries.with_columns(pl.col("received_ns") + late))


def test_the_line_adds_what_a_transit_took_beyond_what_was_set(log: Log) -> None:
    said = line_added([delayed(log, 1.5)]) or ""
    assert "took 2.5\u00a0ms more than half of the round trip set" in said
    assert said.endswith(
        "and 1.0\u00a0ms without the line, so that the line itself adds 1.5\u00a0ms"
    )


def test_without_a_line_nothing_is_said_of_it(log: Log) -> None:
    near = replace(log, runs=log.runs.filter(pl.col("rtt_ms") == 0))
    assert line_added([near]) is None


def test_without_loopback_the_programs_are_in_it(log: Log) -> None:
    far = replace(log, runs=log.runs.filter(pl.col("rtt_ms") > 0))
    assert (line_added([far]) or "").endswith("; so much the line and both programs add")


def test_a_machine_is_described_once_with_all_that_ran_on_it(log: Log) -> None:
    here = log.experiment
    there = replace(here, machine={"cpu": "another", "memory_bytes": 8 * 2**30})
    found = environments([("quick", here), ("chat", there), ("rate", here)])
    assert [names for names, _ in found] == ["quick, rate", "chat"]
    assert found[1][1]["memory"] == "8.00 GiB"
    assert about(here)["versions"] == "python 3.11.9, aiohttp 3.14.5"


def test_waits_for_bandwidth_are_none_of_the_lines_own(log: Log) -> None:
    far = pl.when(pl.col("rtt_ms") > 0).then(64.0).otherwise(0.0)
    narrow = replace(log, runs=log.runs.with_columns(kbit_per_s=far))
    assert line_added([narrow]) is None


def test_of_a_server_that_was_there_before_not_all_is_known(log: Log) -> None:
    def of(**about: str) -> str:
        return absent([replace(log, experiment=replace(log.experiment, **about))])

    assert of(url="http://192.0.2.1").startswith("There was no TLS and no browser; each of them")
    assert of(url="https://192.0.2.1").startswith("There was no browser; it adds ")
    assert of(url="http://192.0.2.1", scenario="classroom").startswith("There was no TLS; it adds ")
    assert of(url="https://192.0.2.1", scenario="classroom") == ""
