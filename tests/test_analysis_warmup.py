from pathlib import Path

import numpy as np
import polars as pl
import pytest
from matplotlib.figure import Figure
from msgspec.structs import replace

from analysis.charts import CHARTS
from analysis.modes import MODES
from analysis.summary import summarise
from clients.log import Log, Run
from tests.made_log import SETTINGS, made

STEADY = "From one half of the window to the other"


def draw(log: Log) -> Figure | None:
    return CHARTS["warmup"].draw(log, summarise(log))


def said(log: Log) -> str:
    figure = draw(log)
    assert figure is not None
    return " ".join(figure.texts[0].get_text().split())


def slowed(log: Log, mode: str, times: float, start_s: float, end_s: float) -> Log:
    """Make a mode's deliveries slower between two moments of its window."""
    runs = log.runs.select("run", "mode", "window_start_ns")
    at_s = (pl.col("published_ns") - pl.col("window_start_ns")) / 1e9
    hit = (pl.col("mode") == mode) & at_s.is_between(start_s, end_s, closed="left")
    wait_ns = pl.col("received_ns") - pl.col("published_ns")
    slower = pl.col("received_ns") + pl.when(hit).then((times - 1) * wait_ns).otherwise(0)
    deliveries = log.deliveries.join(runs, on="run", maintain_order="left")
    changed = deliveries.with_columns(received_ns=slower.cast(pl.Int64))
    return replace(log, deliveries=changed.drop("mode", "window_start_ns"))


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return made(tmp_path_factory.mktemp("warmup") / "log")


def test_a_steady_experiment_is_called_so(log: Log) -> None:
    assert said(log).startswith(STEADY)


@pytest.mark.parametrize("mode", list(MODES))
def test_a_mode_that_slows_down_in_the_window_is_named(log: Log, mode: str) -> None:
    slower = said(slowed(log, mode, 2, SETTINGS.duration_s / 2, SETTINGS.duration_s))
    assert slower.lower().startswith(f"{MODES[mode].name.lower()} does not stand still")
    assert "higher in the window's second half" in slower


def test_a_mode_that_is_still_warming_up_in_the_window_is_named(log: Log) -> None:
    assert "lower in the window's second half" in said(slowed(log, "ws", 3, 0, 9))


def test_what_is_slow_in_the_warmup_alone_does_not_count(log: Log) -> None:
    figures = draw(slowed(log, "short", 10, -9, 0)), draw(log)
    slow, usual = ([text.get_text() for text in each.texts] for each in figures if each)
    assert slow == usual


def test_what_a_few_messages_do_by_chance_is_called_chance(tmp_path: Path) -> None:
    few = replace(SETTINGS, rate_per_s=0.3, clients=2)
    assert said(made(tmp_path / "log", few, trials=1)).startswith(STEADY)


def test_the_window_is_shaded_and_nothing_else(log: Log) -> None:
    figure = draw(log)
    assert figure is not None
    axes = figure.axes[0]
    (shade,) = axes.patches
    span = shade.get_extents().transformed(axes.transData.inverted()).intervalx
    assert tuple(span) == pytest.approx((0, SETTINGS.duration_s))
    assert axes.get_xlim()[0] == -SETTINGS.warmup_s


def test_a_curve_begins_in_the_warmup_and_ends_in_the_window(log: Log) -> None:
    figure = draw(log)
    assert figure is not None
    lines = [np.asarray(line.get_xdata()) for line in figure.axes[0].lines]
    curves = [times_s for times_s in lines if len(times_s) > 1]
    assert len(curves) == len(MODES)
    for times_s in curves:
        assert -SETTINGS.warmup_s < times_s[0] < 0
        assert SETTINGS.duration_s - 2 < times_s[-1] < SETTINGS.duration_s


def test_without_a_warmup_there_is_nothing_to_show(tmp_path: Path) -> None:
    assert draw(made(tmp_path / "log", replace(SETTINGS, warmup_s=0), trials=1)) is None


def test_a_server_that_is_stalled_on_purpose_is_not_called_unsteady(tmp_path: Path) -> None:
    assert draw(made(tmp_path / "log", replace(SETTINGS, stall_s=1.0), trials=1)) is None


def test_a_void_mode_does_not_speak(tmp_path: Path) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "ws")

    void = made(tmp_path / "log", trials=2, spoil=spoil)
    assert said(slowed(void, "ws", 3, 10, 20)).startswith(STEADY)
