"""The benchmark runs, and writes what it measured; how fast anything is, is nothing for a test."""

import csv
import subprocess
import sys
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from tests.bench import instrument
from tests.bench.__main__ import PARTS, _in_turns
from tests.bench.chart import _panels
from tests.bench.fanout import FAN_OUT, IN_FLIGHT, setting
from tests.bench.machine import Shares, without
from tests.bench.results import Cells, Goal, Part, Ratio, Window, goals, table
from tests.bench.servers import ours

CELL = ("fan-out", "1,000 sockets, 1 in flight")


ROOM, NODE = (*CELL, "room"), (*CELL, "node")


def window(
    server: str, rate: int, *, others: float = 0.0, generator: float = 0.2, trial: int = 1
) -> Window:
    shares = Shares(elapsed_s=1, server_s=0.5, server=0.5, generator=generator, others=others)
    return replace(Window.of(*CELL, server, shares, count=rate), trial=trial)


def test_the_benchmark_measures_our_servers(tmp_path: Path) -> None:
    options = ("--trials", "1", "--seconds", "0.1", "--sockets", "20", "--only", "feed")
    parts = ("--parts", "fan-out,short polls", "--out", str(tmp_path))
    command = [sys.executable, "-m", "tests.bench", *options, *parts]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "windows.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["part"] for row in rows} == {"fan-out", "short polls"}
    assert all(float(row["figure"]) > 0 for row in rows)
    assert (tmp_path / "bench.svg").exists()


async def test_the_instrument_is_measured_by_itself() -> None:
    windows = await instrument.measure(0.1, None, ["short"])
    found = {(window.part, window.setting, window.server) for window in windows}
    assert found == {
        ("floor of latency", "short polling, p50", "measured client"),
        ("floor of latency", "short polling, p99", "measured client"),
        ("the instrument", "short polling", "measured client"),
        ("the instrument", "short polling", "bare reader"),
    }
    assert all(window.figure > 0 for window in windows)


def test_a_ratio_compares_what_ran_side_by_side() -> None:
    # The machine is ten times as fast in the second trial; node ran in the first and second alone.
    cells = Cells(
        [
            *(window("room", rate, trial=trial) for trial, rate in ((1, 10), (2, 120), (3, 1000))),
            *(window("node", rate, trial=trial) for trial, rate in ((1, 5), (2, 40))),
        ]
    )
    assert cells.ratio(ROOM, NODE) == Ratio(2.5, 2.0, 3.0, "")


def test_a_disturbed_window_is_in_no_ratio() -> None:
    disturbed = [window("room", 90, others=0.5, trial=2), window("node", 5, trial=2)]
    cells = Cells([window("room", 10), window("node", 5), *disturbed])
    assert cells.ratio(ROOM, NODE) == Ratio(2, 2, 2, "")
    assert cells.disturbed(ROOM) == "1 of 2"
    assert Cells(disturbed).ratio(ROOM, NODE) is None


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [(0.2, 0.2, "2.00"), (0.95, 0.2, "≥ 2.00"), (0.2, 0.95, "≤ 2.00"), (0.95, 0.95, "~ 2.00")],
)
def test_a_ratio_tells_whose_rate_was_the_generators(ours: float, theirs: float, said: str) -> None:
    cells = Cells([window("room", 10, generator=ours), window("node", 5, generator=theirs)])
    assert str(cells.ratio(ROOM, NODE)) == said
    cpu = cells.ratio(ROOM, NODE, cpu=True)
    assert cpu is not None
    assert cpu.sign == ""


def test_the_generators_pauses_are_no_time_of_the_servers() -> None:
    shares = without(Shares(elapsed_s=2, server_s=1, server=0.5, generator=0.25, others=0.0), 1)
    assert (shares.elapsed_s, shares.server, shares.generator) == (1, 1, 0.5)


def test_servers_have_one_thing_after_another_measured_in_turns() -> None:
    async def nothing() -> list[Window]:
        return []

    rounds = [(what, who, nothing) for who in "abcd" for what in ("fan-out", "polls", "memory")]
    order = _in_turns(rounds)
    assert sorted(order, key=str) == sorted(rounds, key=str)
    assert len(list(groupby(what for what, *_ in order))) == 3


@pytest.mark.parametrize(("limit", "verdict"), [(1.9, "met"), (2.1, "missed")])
def test_a_goal_is_met_or_missed(limit: float, verdict: str) -> None:
    cells = Cells([window("room", 10), window("node", 5)])
    drawn = goals([Goal("rate", ROOM, NODE, limit, at_least=True)], cells)
    assert [list(column.cells) for column in drawn.columns[2:]] == [
        ["2.00"],
        ["2.00 to 2.00"],
        [verdict],
    ]


def test_the_table_sorts_settings_by_their_numbers() -> None:
    shares = Shares(1, 0.5, 0.5, 0.2, 0)
    settings = [f"{count:,} sockets, 1 in flight" for count in (1000, 100, 10_000)]
    cells = Cells([Window.of("fan-out", each, "room", shares, 1) for each in settings])
    drawn = table(Part("fan-out", "deliveries/s", "node"), cells)
    assert list(drawn.columns[0].cells) == [settings[1], settings[0], settings[2]]


def test_ours_are_the_room_and_the_feed() -> None:
    assert {"room", "feed"} <= {server.name for server in ours()}


def test_settings_of_one_number_stand_in_the_order_in_which_they_were_measured() -> None:
    shares = Shares(1, 0.5, 0.5, 0.2, 0)
    settings = [
        f"{name}, p{share}" for name in ("short", "long", "WebSocket") for share in (99, 50)
    ]
    cells = Cells([Window.of("floor", each, "client", shares, 1) for each in settings])
    drawn = table(Part("floor", "ms", "client"), cells)
    assert list(drawn.columns[0].cells) == settings[1::2] + settings[::2]


def test_every_rival_and_number_of_sockets_is_in_the_chart() -> None:
    shares = Shares(1, 0.5, 0.5, 0.2, 0)
    names = [setting(sockets, count) for sockets in (10_000, 100) for count in IN_FLIGHT]
    cells = [(FAN_OUT, name) for name in names] + [(part.name, "a setting") for part in PARTS[1:-1]]
    panels = list(_panels([Window.of(*cell, "feed", shares, 1) for cell in cells]))
    assert {(panel.part, panel.setting) for panel in panels} == set(cells)
    assert [panel.setting for panel in panels[:3]] == [setting(100, count) for count in IN_FLIGHT]
    assert [panel.figure for panel in panels if panel.part == FAN_OUT][6:] == ["cpu_us"] * 2
