import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from msgspec.structs import replace

from analysis import headlines
from analysis.charts import CHARTS
from analysis.charts.canvas import VOID_GREY
from analysis.crossing import in_words, ranges
from analysis.modes import MODES, title
from analysis.rows import rows
from analysis.scene import Scene, choose, shared
from analysis.summary import MEANS, PERCENTILES, summarise
from clients.log import Log, Run
from tests.made_log import SETTINGS, SPECIAL, made, without_polls

Analysed = tuple[Log, pl.DataFrame]

SHORTER = replace(SETTINGS, duration_s=8, clients=4)


def texts(figure: Figure) -> list[str]:
    """Return every text of a figure, on one line each."""
    axes = [text for one in figure.axes for text in (*one.texts, *one.get_yticklabels())]
    return [" ".join(text.get_text().split()) for text in (*figure.texts, *axes)]


def drawn(name: str, analysed: Analysed) -> Figure:
    figure = CHARTS[name].draw(*analysed)
    assert figure is not None
    return figure


def bars(figure: Figure) -> list[Rectangle]:
    return [patch for patch in figure.axes[0].patches if isinstance(patch, Rectangle)]


def scene_of(analysed: Analysed) -> Scene:
    log, summary = analysed
    scene = choose(log, rows(log, summary))
    assert scene is not None
    return scene


def spoil(run: Run) -> Run:
    """Make all runs of long polling void, and the first of short polling."""
    void = run.mode == "long" or (run.mode == "short" and run.trial == 0)
    return replace(run, valid=not void, void_because="lag" if void else "")


def analysed(log: Log) -> Analysed:
    return log, summarise(log)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("charts")


@pytest.fixture(scope="module")
def single(folder: Path) -> Analysed:
    return analysed(made(folder / "single", trials=2))


@pytest.fixture(scope="module")
def void(folder: Path) -> Analysed:
    return analysed(made(folder / "void", SHORTER, trials=2, spoil=spoil))


@pytest.fixture(scope="module")
def sweep(folder: Path) -> Analysed:
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 0.5, 2)]
    return analysed(made(folder / "sweep", *settings, trials=2))


@pytest.fixture(scope="module")
def void_sweep(folder: Path) -> Analysed:
    """Return a sweep in which the shortest interval has no good run in any mode."""
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 0.5, 2)]
    log = made(folder / "void sweep", *settings, trials=2,
               spoil=lambda run: replace(run, valid=run.interval_s > 0.2))  # fmt: skip
    return analysed(log)


@pytest.mark.parametrize("name", [name for name in CHARTS if name not in SPECIAL])
def test_every_chart_names_every_mode(single: Analysed, name: str) -> None:
    written = texts(drawn(name, single))
    for mode in MODES:
        assert any(title(mode) in text for text in written)


@pytest.mark.parametrize("name", sorted(CHARTS.keys() - SPECIAL | {"tradeoff"}))
def test_every_chart_draws_a_sweep(sweep: Analysed, name: str) -> None:
    figure = drawn(name, sweep)
    width, height = figure.get_size_inches()
    assert width / height == pytest.approx(16 / 9)
    assert figure.texts[0].get_text()


@pytest.mark.parametrize("name", [name for name in CHARTS if name not in SPECIAL])
def test_every_chart_marks_a_void_row(void: Analysed, name: str) -> None:
    assert any("VOID" in text for text in texts(drawn(name, void)))


OF_SWEEPS = ("mean_latency", "tradeoff", "requests", "empty", "bytes", "cpu", "memory")


@pytest.mark.parametrize("name", OF_SWEEPS)
def test_every_chart_of_a_sweep_marks_a_void_row(void_sweep: Analysed, name: str) -> None:
    assert any("VOID" in text for text in texts(drawn(name, void_sweep)))


def test_tradeoff_names_a_mode_by_its_good_points_and_gives_void_ones_no_colour(
    void_sweep: Analysed,
) -> None:
    figure = drawn("tradeoff", void_sweep)
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    faces = [to_hex(dot.get_markerfacecolor()) for dot in dots]
    coloured = [mode.colour.lower() for mode in MODES.values()]
    assert sorted(faces) == sorted([*coloured, *coloured, *[VOID_GREY] * len(MODES)])
    assert {"every 0.2 s VOID", "every 0.5 s", "VOID", "WebSocket"} <= set(texts(figure))


def test_tradeoff_says_void_beside_a_mode_without_a_good_run(folder: Path) -> None:
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 2)]
    log = made(folder / "void mode", *settings, trials=1,
               spoil=lambda run: replace(run, valid=run.mode != "ws"))  # fmt: skip
    figure = drawn("tradeoff", analysed(log))
    assert "WebSocket VOID" in texts(figure)
    assert "WebSocket" not in figure.texts[0].get_text()


def test_a_row_with_a_good_run_is_not_void_but_says_what_was_left_out(void: Analysed) -> None:
    written = texts(drawn("requests", void))
    assert "1 of 2 runs void" in written
    assert sum("VOID" in text for text in written) == 1


def test_a_void_bar_is_hatched_and_has_no_colour(void: Analysed) -> None:
    found = bars(drawn("requests", void))
    assert [bool(bar.get_hatch()) for bar in found] == [False, True, False]
    assert to_hex(found[1].get_facecolor()) not in {mode.colour.lower() for mode in MODES.values()}


def test_bars_have_the_modes_colours_and_the_summarys_lengths(single: Analysed) -> None:
    found = bars(drawn("requests", single))
    assert [to_hex(bar.get_facecolor()) for bar in found] == [
        mode.colour.lower() for mode in MODES.values()
    ]
    assert [bar.get_width() for bar in found] == single[1]["requests_per_delivery"].to_list()


def test_intervals_are_drawn(single: Analysed) -> None:
    lines = [np.asarray(line.get_xdata()).tolist() for line in drawn("cpu", single).axes[0].lines]
    ends = single[1].select("server_cpu_us_per_delivery_low", "server_cpu_us_per_delivery_high")
    assert lines == [list(row) for row in ends.iter_rows()]


def test_stacked_bytes_add_up_to_all_bytes_up_and_down(single: Analysed) -> None:
    summary = single[1]
    ends = [0.0, 0.0, 0.0]
    for bar in bars(drawn("bytes", single)):
        place = round(bar.get_y() + bar.get_height() / 2)
        ends[place] = max(ends[place], bar.get_x() + bar.get_width())
    both = summary["bytes_up_per_delivery"] + summary["bytes_down_per_delivery"]
    assert ends == pytest.approx(both.to_list())


def test_latency_writes_p50_and_p99_beside_the_curves(single: Analysed) -> None:
    written = texts(drawn("latency", single))
    assert sum(text.startswith("p50 ") for text in written) == 3
    assert sum(text.startswith("p99 ") for text in written) == 3


def test_latency_draws_theory_dashed_beside_each_mode(single: Analysed) -> None:
    lines = drawn("latency", single).axes[0].lines
    assert sum(line.is_dashed() for line in lines) == 3


def test_tradeoff_is_only_drawn_when_the_interval_varies(single: Analysed, sweep: Analysed) -> None:
    assert CHARTS["tradeoff"].draw(*single) is None
    written = texts(drawn("tradeoff", sweep))
    assert {"every 0.2 s", "every 0.5 s", "every 2 s"} <= set(written)


def test_mean_latency_is_only_drawn_over_several_settings(
    single: Analysed, sweep: Analysed
) -> None:
    assert CHARTS["mean_latency"].draw(*single) is None
    assert drawn("mean_latency", sweep).axes[0].get_yscale() == "log"


def test_of_many_void_points_the_note_speaks_and_not_each(sweep: Analysed) -> None:
    log, summary = sweep
    void = replace(log, runs=log.runs.with_columns(valid=False))
    written = texts(drawn("requests", (void, summary)))
    assert sum("VOID" in text for text in written) == 1
    assert any(text.startswith("A hollow dot is VOID") for text in written)


def test_what_was_not_measured_is_not_drawn(single: Analysed) -> None:
    log, summary = single
    unwatched = summary.with_columns(server_cpu_us_per_delivery=pl.lit(None, pl.Float64))
    assert CHARTS["cpu"].draw(log, unwatched) is None


def test_one_mode_alone_can_be_drawn(folder: Path) -> None:
    log, summary = analysed(made(folder / "alone", SHORTER, trials=1, modes=("short",)))
    for chart in CHARTS.values():
        chart.draw(log, summary)


@pytest.mark.parametrize("modes", [("short",), ("long", "ws")])
def test_a_sweep_of_some_modes_names_these_alone(folder: Path, modes: tuple[str, ...]) -> None:
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 2)]
    some = analysed(made(folder / "-".join(modes), *settings, trials=1, modes=modes))
    for name in ("requests", "tradeoff"):
        written = texts(drawn(name, some))
        assert {title(mode) for mode in MODES} & {*written} == {title(mode) for mode in modes}
    # There is nothing to hold short polling against, or no short polling.
    assert written[0] == "Asking more often buys latency with requests"


def test_of_a_mode_that_was_swept_alone_the_headline_gives_both_ends(folder: Path) -> None:
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 0.5, 2)]
    log = made(folder / "swept alone", *settings, trials=1, modes=("short",))
    said = headlines.requests(rows(log, summarise(log)))
    lead = "Requests for each message delivered by short polling: "
    number = r"[\d.]+ at an interval of "
    assert re.fullmatch(f"{lead}{number}0.2 s, {number}2 s", said)


def test_modes_listed_in_different_settings_meet_in_one_chart(folder: Path) -> None:
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 1, 2)]
    log = made(folder / "apart", *settings, SHORTER, trials=1)
    listed = pl.col("mode").is_in(["long", "ws"]) == (pl.col("setting") == 3)
    log, summary = analysed(replace(log, runs=log.runs.filter(listed)))
    written = texts(drawn("timeline", (log, summary)))
    assert {title(mode) for mode in MODES} <= set(written)
    assert len(drawn("requests", (log, summary)).axes[0].texts) == 3


def test_the_timeline_shows_the_same_messages_in_each_lane(single: Analysed) -> None:
    scene = scene_of(single)
    assert [lane.mode for lane in scene.lanes] == list(MODES)
    assert shared(scene)
    assert len({len(lane.arrivals) for lane in scene.lanes}) == 1


def test_the_timeline_shows_polls_with_and_without_news(single: Analysed) -> None:
    short = scene_of(single).lanes[0]
    assert {poll.news for poll in short.polls} == {True, False}


def test_a_lane_that_got_nothing_says_so(single: Analysed) -> None:
    log, summary = single
    ws = log.runs.filter(mode="ws")["run"].implode()
    silent = replace(log, deliveries=log.deliveries.filter(~pl.col("run").is_in(ws)))
    assert texts(drawn("timeline", (silent, summary))).count("no message") == 1


def test_without_a_delivery_there_is_no_timeline(single: Analysed) -> None:
    log, summary = single
    nothing = replace(log, runs=log.runs.with_columns(deliveries=pl.lit(0)))
    assert CHARTS["timeline"].draw(nothing, summary) is None


def test_seconds_in_which_nothing_came_are_not_chosen(single: Analysed) -> None:
    log, summary = single
    late = log.runs.select("run", late_ns=pl.col("window_end_ns") - 5 * 10**9)
    few = log.deliveries.join(late, on="run").filter(pl.col("published_ns") > pl.col("late_ns"))
    scene = scene_of((replace(log, deliveries=few.drop("late_ns")), summary))
    assert all(lane.arrivals for lane in scene.lanes)


def test_the_headline_gives_the_medians(single: Analysed) -> None:
    log, summary = single
    said = headlines.latency(rows(log, summary))
    assert said.startswith("Long polling and WebSocket deliver in 1.1\u00a0ms what short polling")


HEADLINES = (
    headlines.latency,
    headlines.requests,
    headlines.empty,
    headlines.total_bytes,
    headlines.cpu,
    headlines.mean_latency,
    headlines.memory,
    headlines.tradeoff,
)


@pytest.mark.parametrize("say", HEADLINES)
@pytest.mark.parametrize("name", ["void", "void_sweep"])
def test_void_rows_do_not_speak_in_headlines(
    say: Callable[[pl.DataFrame], str], name: str, request: pytest.FixtureRequest
) -> None:
    every = rows(*request.getfixturevalue(name))
    figures = pl.col(*MEANS, *PERCENTILES)
    wrong = every.with_columns(pl.when("void").then(figures * 1000 + 1).otherwise(figures))
    assert say(wrong) == say(every)


def test_a_mode_without_a_good_run_is_not_named_in_a_headline(void: Analysed) -> None:
    log, summary = void
    assert "ong polling" not in headlines.requests(rows(log, summary))


def test_a_crossing_lies_where_the_curves_meet(sweep: Analysed) -> None:
    log, summary = sweep
    doubled = rows(log, summary).with_columns(
        figure=pl.when(pl.col("mode") == "short").then(1 / pl.col("interval_s")).otherwise(1.0)
    )
    for other in ("long", "ws"):
        (found,) = ranges(doubled, "figure", "interval_s", "short", other) or ()
        assert found.start == pytest.approx(1)
        assert found.end is None
    assert in_words(doubled, "figure", "takes less than") == (
        "Short polling takes less than long polling above an interval of about 1.0 s,"
        " than WebSocket above an interval of about 1.0 s"
    )


@pytest.mark.parametrize("modes", [tuple(MODES), ("long", "ws")])
def test_where_nobody_pauses_messages_say_how_long_a_scene_is(
    folder: Path, modes: tuple[str, ...]
) -> None:
    restless = replace(SHORTER, interval_s=0, rtt_ms=100, rate_per_s=5, clients=1)
    log = made(folder / f"restless {len(modes)}", restless, trials=1, modes=modes)
    scene = scene_of(analysed(log))
    assert scene.span_s == 8 / 5  # seconds that eight messages take
    assert all(lane.arrivals for lane in scene.lanes)


def test_a_scene_in_which_nothing_is_published_is_none(single: Analysed) -> None:
    log, summary = single
    window_ns = log.runs.select("run", "window_start_ns")
    early = pl.col("published_ns") < pl.col("window_start_ns")
    warm_up = log.deliveries.join(window_ns, on="run").filter(early).drop("window_start_ns")
    nothing = replace(log, deliveries=warm_up)
    assert CHARTS["timeline"].draw(nothing, summary) is None


def test_a_void_row_with_a_run_that_delivered_nothing_is_drawn(folder: Path) -> None:
    log = made(folder / "stopped", SHORTER, trials=2,
               spoil=lambda run: replace(run, valid=run.mode != "short"))  # fmt: skip
    second = log.runs.filter(mode="short")["run"][-1]
    stopped = replace(log, deliveries=log.deliveries.filter(pl.col("run") != second))
    figure = drawn("bytes", analysed(stopped))
    widths = [bar.get_width() for bar in bars(figure)]
    assert len(widths) == 3 * 5
    assert np.isfinite([*figure.axes[0].get_xlim(), *widths]).all()


def test_bytes_that_no_window_shows_are_not_drawn_as_none(single: Analysed) -> None:
    log, _ = single
    figure = drawn("bytes", analysed(without_polls(log, "short")))
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "Long polling", "WebSocket"
    ]  # fmt: skip
    assert CHARTS["bytes"].draw(*analysed(without_polls(replace(
        log, runs=log.runs.filter(pl.col("mode") == "short")), "short"))) is None  # fmt: skip


def test_no_mode_is_held_against_itself(single: Analysed) -> None:
    log, summary = single
    p50_ms = pl.col("mode").replace_strict({"short": 130.0, "long": 99.0, "ws": 70.0})
    said = headlines.latency(rows(log, summary.with_columns(latency_p50_ms=p50_ms)))
    assert said.replace("\u00a0", " ") == (
        "Long polling and WebSocket deliver in 99 ms what short polling delivers in 130 ms"
    )


@pytest.mark.parametrize("say", HEADLINES[:-1])
def test_where_every_run_is_void_a_headline_says_that(
    single: Analysed, say: Callable[[pl.DataFrame], str]
) -> None:
    log, summary = single
    void = replace(log, runs=log.runs.with_columns(valid=False))
    assert say(rows(void, summary)).endswith(": no run is good")


def test_a_setting_without_a_good_run_does_not_stand_for_a_sweep(folder: Path) -> None:
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 0.5, 2)]
    log = made(folder / "void middle", *settings, trials=1,
               spoil=lambda run: replace(run, valid=run.interval_s != 0.5))  # fmt: skip
    said = headlines.latency(rows(log, summarise(log)))
    assert re.match(r"At an interval of (0.2|2) s: ", said), said


def test_what_lies_within_the_intervals_is_no_crossing_of_bytes(sweep: Analysed) -> None:
    log, summary = sweep
    short = pl.when(pl.col("interval_s") < 1).then(400.0).otherwise(100.0)
    figures = summary.with_columns(
        bytes_up_per_delivery=pl.when(pl.col("mode") == "short").then(short).otherwise(200.0),
        bytes_down_per_delivery=pl.lit(0.0),
    )
    ends = {"sure": (1, 1), "unsure": (0.1, 10)}
    said = {}
    for name, (low, high) in ends.items():
        size = pl.col("bytes_up_per_delivery")
        doubt = {"bytes_per_delivery_low": size * low, "bytes_per_delivery_high": size * high}
        said[name] = headlines.total_bytes(rows(log, figures.with_columns(**doubt)))
    assert said["sure"].startswith("Short polling needs fewer bytes than long polling above an ")
    assert "fewer bytes" not in said["unsure"]


def test_theory_is_not_drawn_where_bandwidth_is_scarce(folder: Path) -> None:
    narrow = replace(SHORTER, kbit_per_s=256)
    sweep = made(folder / "narrow sweep", narrow, replace(narrow, interval_s=0.5), trials=1)
    assert not any("theory" in text for text in texts(drawn("tradeoff", analysed(sweep))))
    log = made(folder / "narrow", narrow, trials=1)
    figure = drawn("latency", analysed(log))
    assert not any(line.is_dashed() for line in figure.axes[0].lines)
    assert not any("theory" in text for name in ("latency", "empty")
                   for text in texts(drawn(name, analysed(log))))  # fmt: skip
