import io
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace
from rich.console import Console

from analysis.summary import summarise
from analysis.table import _interval, print_table
from clients.log import Log, Run
from tests.made_log import SETTINGS, made

QUICK = replace(SETTINGS, duration_s=6, clients=3)


Printed = Callable[[int], str]


def printed(log: Log) -> Printed:
    """Return what prints the log's table for a terminal of a given width."""
    summary = summarise(log)

    def print_at(width: int) -> str:
        out = io.StringIO()
        print_table(log, summary, Console(file=out, width=width))
        return out.getvalue().replace("\u00a0", " ")

    return print_at


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "long" and run.run != 0)

    return printed(made(tmp_path_factory.mktemp("table") / "log", QUICK, trials=3, spoil=spoil))


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Printed:
    settings = [
        replace(QUICK, deflate=on, payload_bytes=size)
        for size in (64, 1024)
        for on in (True, False)
    ]
    return printed(made(tmp_path_factory.mktemp("table") / "kinds", *settings, trials=2))


@pytest.mark.parametrize("width", [80, 100, 140])
@pytest.mark.parametrize("name", ["single", "kinds"])
def test_the_table_keeps_to_the_terminals_width_and_cuts_nothing_off(
    name: str, width: int, request: pytest.FixtureRequest
) -> None:
    text = request.getfixturevalue(name)(width)
    assert max(map(len, text.splitlines())) <= width
    assert "\u2026" not in text
    for head in ("mode", "p50", "p99", "requests", "bytes", "CPU", "runs"):
        assert head in text


def test_a_wide_terminal_shows_intervals_and_means_a_narrow_one_does_not(single: Printed) -> None:
    head, narrow = (single(width).split("WebSocket")[0] for width in (120, 80))
    assert "interval" in head
    assert "mean " in head
    assert "interval" not in narrow


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_says_how_often_intervals_from_so_few_runs_hold(
    single: Printed, width: int
) -> None:
    text = " ".join(single(width).split())
    assert (
        "From 2 to 3 runs, a 95 % interval of a mean holds in about 50 to 75 of 100 cases." in text
    )


def test_a_single_run_has_no_interval_and_no_word_about_it(tmp_path: Path) -> None:
    assert "of 100 cases" not in printed(made(tmp_path / "log", QUICK, trials=1))(120)


def test_void_rows_say_so_and_others_how_many_runs_are_good(single: Printed) -> None:
    lines = single(100).splitlines()
    assert next(line for line in lines if "long polling " in line).endswith("VOID ")
    assert next(line for line in lines if "short polling " in line).endswith("2 of 3 ")


def test_figures_far_from_theory_are_flagged_and_the_flag_is_explained(tmp_path: Path) -> None:
    log = made(tmp_path / "log", replace(QUICK, duration_s=30), trials=2, modes=("short", "ws"))
    assert "more than 10 % off" not in printed(log)(120)
    late = pl.col("received_ns") + pl.when(pl.col("run") == 0).then(400_000_000).otherwise(0)
    slow = replace(log, deliveries=log.deliveries.with_columns(late))
    text = printed(slow)(120)
    assert "% !" in next(line for line in text.splitlines() if "short polling " in line)
    assert "more than 10 % off" in text


def test_three_comparisons_stand_below(kinds: Printed) -> None:
    below = [line for line in kinds(300).splitlines() if line.strip().endswith(".")]
    assert len([line for line in below if "ompressed in place of" in line]) == 3


@pytest.mark.parametrize(
    ("ends", "text"),
    [((1.1, 2.2), "1.1 to 2.2 ms"), ((1.1, 1100), "1.1 ms to 1.1 s"), ((None, None), "\u2013")],
)
def test_an_interval_has_its_unit_once_unless_there_are_two(
    ends: tuple[float | None, float | None], text: str
) -> None:
    row = dict(zip(("latency_p50_ms_low", "latency_p50_ms_high"), ends, strict=True))
    assert _interval(row).replace("\u00a0", " ") == text
