from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from msgspec.structs import replace

from analysis.charts import CHARTS
from analysis.modes import MODES, title
from analysis.summary import summarise
from clients.log import Log, Run
from tests.made_log import SETTINGS, made

STALL_S = 2.0
STALLED = replace(SETTINGS, rate_per_s=20, schedule="periodic", stall_s=STALL_S, clients=3)
MIDDLE_S = STALLED.duration_s / 2


def stalled(folder: Path, **options: Any) -> Log:
    """Make a log whose server published nothing in the middle, and all of it right after."""
    log = made(folder, STALLED, trials=2, **options)
    start_ns = log.runs["window_start_ns"][0] + round((MIDDLE_S - STALL_S / 2) * 1e9)
    end_ns = start_ns + round(STALL_S * 1e9)
    held = pl.col("published_ns").is_between(start_ns, end_ns, closed="left")
    late_ns = pl.when(held).then(end_ns - pl.col("published_ns")).otherwise(0)
    later = {name: pl.col(name) + late_ns for name in ("published_ns", "received_ns")}
    return replace(log, deliveries=log.deliveries.with_columns(**later))


def draw(log: Log) -> Figure | None:
    return CHARTS["stall"].draw(log, summarise(log))


@pytest.fixture(scope="module")
def figure(tmp_path_factory: pytest.TempPathFactory) -> Figure:
    drawn = draw(stalled(tmp_path_factory.mktemp("stall") / "log"))
    assert drawn is not None
    return drawn


def words(axes: Axes) -> list[str]:
    return [text.get_text().replace("\u00a0", " ") for text in axes.texts]


def dots(axes: Axes, place: int) -> list[tuple[float, float]]:
    """Return seconds and milliseconds: 0 of the dashed line, 1 from intended, 2 from publish."""
    return [(float(x), float(y)) for x, y in np.asarray(axes.lines[place].get_xydata())]


def test_an_experiment_without_a_stall_has_no_such_chart(tmp_path: Path) -> None:
    assert draw(made(tmp_path / "log", trials=1)) is None


def test_each_mode_has_its_panel(figure: Figure) -> None:
    assert [words(axes)[0] for axes in figure.axes] == [title(mode) for mode in MODES]


def test_p99_from_publish_hides_what_p99_from_the_intended_time_shows(figure: Figure) -> None:
    # A message meets the stall with a chance of 2 s in 20 s, so that 1 in 100 waits 1.8 s and more.
    assert words(figure.axes[2])[1:] == ["p99 1.8 s from intended time", "p99 1.1 ms from publish"]


def test_the_title_speaks_of_the_mode_that_hides_most(figure: Figure) -> None:
    said = " ".join(figure.texts[0].get_text().replace("\u00a0", " ").split())
    assert said.startswith("From publish, long polling's p99 is 1.1 ms")
    assert said.endswith("it is 1.8 s")


def test_the_stall_is_a_band_in_the_middle_of_the_window(figure: Figure) -> None:
    for axes in figure.axes:
        low, high = axes.patches[0].get_extents().transformed(axes.transData.inverted()).intervalx
        assert (low, high) == pytest.approx((MIDDLE_S - STALL_S / 2, MIDDLE_S + STALL_S / 2))


def test_a_message_waits_for_what_is_left_of_the_stall(figure: Figure) -> None:
    dashed, intended = (dots(figure.axes[2], place) for place in (0, 1))
    inside = [dot for dot in intended if MIDDLE_S - 1 < dot[0] < MIDDLE_S + 0.9]
    assert len(inside) > 30
    for at_s, wait_ms in inside:
        _, left_ms = min(dashed, key=lambda dot: abs(dot[0] - at_s))
        assert wait_ms == pytest.approx(left_ms, abs=12)


def test_both_ways_of_counting_agree_without_a_stall(figure: Figure) -> None:
    intended, published = (dots(figure.axes[2], place) for place in (1, 2))
    early = sum(at_s < MIDDLE_S - STALL_S / 2 for at_s, _ in intended)
    assert early > 100
    assert intended[:early] == published[:early]
    assert intended != published


def test_a_void_mode_is_marked_and_does_not_speak(tmp_path: Path) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "ws")

    drawn = draw(stalled(tmp_path / "log", spoil=spoil))
    assert drawn is not None
    assert words(drawn.axes[2])[0] == "WebSocket VOID"
    assert "WebSocket" not in drawn.texts[0].get_text()


def test_a_stall_without_a_good_run_is_shown_and_compares_nothing(tmp_path: Path) -> None:
    drawn = draw(stalled(tmp_path / "log", spoil=lambda run: replace(run, valid=False)))
    assert drawn is not None
    assert drawn.texts[0].get_text() == "A stall of 2 s, in no good run"
    assert [words(axes)[0] for axes in drawn.axes] == [f"{title(mode)} VOID" for mode in MODES]


def test_theory_knows_no_stall(tmp_path: Path) -> None:
    summary = summarise(stalled(tmp_path / "log"))
    assert summary["theory_requests_per_client_s"].null_count() == summary.height
