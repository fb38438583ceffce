"""The benchmark runs, and writes what it measured; how fast anything is, is nothing for a test."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench import instrument
from tests.bench.__main__ import PARTS
from tests.bench.chart import _panels
from tests.bench.fanout import FAN_OUT, IN_FLIGHT, setting
from tests.bench.machine import Shares
from tests.bench.results import Cells, Goal, Part, Window, goals, table
from tests.bench.servers import ours

CELL = ("fan-out", "1,000 sockets, 1 in flight")


def window(server: str, figure: float, others: float = 0.0) -> Window:
    shares = Shares(elapsed_s=1, server_s=0.5, server=0.5, generator=0.2, others=others)
    return Window.of(*CELL, server, shares, count=10, figure=figure)


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


def test_a_disturbed_window_is_in_no_ratio() -> None:
    cells = Cells([window("room", 10), window("room", 90, others=0.5), window("node", 5)])
    assert cells.ratio((*CELL, "room"), (*CELL, "node")) == 2
    assert cells.disturbed((*CELL, "room")) == "1 of 2"
    assert (
        Cells([window("room", 10), window("node", 5, others=0.5)]).ratio(
            (*CELL, "room"), (*CELL, "node")
        )
        is None
    )


@pytest.mark.parametrize(("limit", "verdict"), [(1.9, "met"), (2.1, "missed")])
def test_a_goal_is_met_or_missed(limit: float, verdict: str) -> None:
    cells = Cells([window("room", 10), window("node", 5)])
    goal = Goal("rate", (*CELL, "room"), (*CELL, "node"), limit, at_least=True)
    drawn = goals([goal], cells)
    assert list(drawn.columns[3].cells) == [verdict]
    assert list(drawn.columns[2].cells) == ["2.00"]


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
