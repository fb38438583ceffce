import polars as pl
import pytest
from matplotlib.colors import to_hex
from msgspec.structs import replace

from analysis import headlines
from analysis.charts import CHARTS
from analysis.crossing import crossings
from analysis.modes import MODES, title
from analysis.rows import rows
from analysis.scene import choose, shared
from analysis.summary import summarise
from tests.made_log import SETTINGS, made

SHORTER = replace(SETTINGS, duration_s=8, clients=4)


def texts(figure):
    """Return every text of a figure, on one line each."""
    axes = [text for one in figure.axes for text in (*one.texts, *one.get_yticklabels())]
    return [" ".join(text.get_text().split()) for text in (*figure.texts, *axes)]


def spoil(run):
    """Make all runs of long polling void, and the first of short polling."""
    void = run.mode == "long" or (run.mode == "short" and run.trial == 0)
    return replace(run, valid=not void, void_because="lag" if void else "")


def analysed(log):
    return log, summarise(log)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("charts")


@pytest.fixture(scope="module")
def single(folder):
    return analysed(made(folder / "single", trials=2))


@pytest.fixture(scope="module")
def void(folder):
    return analysed(made(folder / "void", SHORTER, trials=2, spoil=spoil))


@pytest.fixture(scope="module")
def sweep(folder):
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 0.5, 2)]
    return analysed(made(folder / "sweep", *settings, trials=2))


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "tradeoff"])
def test_every_chart_names_every_mode(single, name):
    written = texts(CHARTS[name].draw(*single))
    for mode in MODES:
        assert any(title(mode) in text for text in written)


@pytest.mark.parametrize("name", list(CHARTS))
def test_every_chart_draws_a_sweep(sweep, name):
    figure = CHARTS[name].draw(*sweep)
    width, height = figure.get_size_inches()
    assert width / height == pytest.approx(16 / 9)
    assert figure.texts[0].get_text()


@pytest.mark.parametrize("name", [name for name in CHARTS if name != "tradeoff"])
def test_every_chart_marks_a_void_row(void, name):
    assert any("VOID" in text for text in texts(CHARTS[name].draw(*void)))


def test_a_row_with_a_good_run_is_not_void_but_says_what_was_left_out(void):
    written = texts(CHARTS["requests"].draw(*void))
    assert "1 of 2 runs void" in written
    assert sum("VOID" in text for text in written) == 1


def test_a_void_bar_is_hatched_and_has_no_colour(void):
    bars = CHARTS["requests"].draw(*void).axes[0].patches
    assert [bool(bar.get_hatch()) for bar in bars] == [False, True, False]
    assert to_hex(bars[1].get_facecolor()) not in {mode.colour.lower() for mode in MODES.values()}


def test_bars_have_the_modes_colours_and_the_summarys_lengths(single):
    bars = CHARTS["requests"].draw(*single).axes[0].patches
    assert [to_hex(bar.get_facecolor()) for bar in bars] == [
        mode.colour.lower() for mode in MODES.values()
    ]
    assert [bar.get_width() for bar in bars] == single[1]["requests_per_delivery"].to_list()


def test_intervals_are_drawn(single):
    lines = [list(line.get_xdata()) for line in CHARTS["cpu"].draw(*single).axes[0].lines]
    ends = single[1].select("server_cpu_us_per_delivery_low", "server_cpu_us_per_delivery_high")
    assert lines == [list(row) for row in ends.iter_rows()]


def test_stacked_bytes_add_up_to_all_bytes_up_and_down(single):
    log, summary = single
    ends = [0.0, 0.0, 0.0]
    for bar in CHARTS["bytes"].draw(log, summary).axes[0].patches:
        place = round(bar.get_y() + bar.get_height() / 2)
        ends[place] = max(ends[place], bar.get_x() + bar.get_width())
    both = summary["bytes_up_per_delivery"] + summary["bytes_down_per_delivery"]
    assert ends == pytest.approx(both.to_list())


def test_latency_writes_p50_and_p99_beside_the_curves(single):
    written = texts(CHARTS["latency"].draw(*single))
    assert sum(text.startswith("p50 ") for text in written) == 3
    assert sum(text.startswith("p99 ") for text in written) == 3


def test_latency_draws_theory_dashed_beside_each_mode(single):
    lines = CHARTS["latency"].draw(*single).axes[0].lines
    assert sum(line.is_dashed() for line in lines) == 3


def test_tradeoff_is_only_drawn_when_the_interval_varies(single, sweep):
    assert CHARTS["tradeoff"].draw(*single) is None
    written = texts(CHARTS["tradeoff"].draw(*sweep))
    assert {"every 0.2 s", "every 0.5 s", "every 2 s"} <= set(written)


def test_what_was_not_measured_is_not_drawn(single):
    log, summary = single
    unwatched = summary.with_columns(server_cpu_us_per_delivery=pl.lit(None, pl.Float64))
    assert CHARTS["cpu"].draw(log, unwatched) is None


def test_one_mode_alone_can_be_drawn(folder):
    log, summary = analysed(made(folder / "alone", SHORTER, trials=1, modes=("short",)))
    for chart in CHARTS.values():
        chart.draw(log, summary)


def test_modes_listed_in_different_settings_meet_in_one_chart(folder):
    settings = [replace(SHORTER, interval_s=interval_s) for interval_s in (0.2, 1, 2)]
    log = made(folder / "apart", *settings, SHORTER, trials=1)
    listed = pl.col("mode").is_in(["long", "ws"]) == (pl.col("setting") == 3)
    log, summary = analysed(replace(log, runs=log.runs.filter(listed)))
    written = texts(CHARTS["timeline"].draw(log, summary))
    assert {title(mode) for mode in MODES} <= set(written)
    assert len(CHARTS["requests"].draw(log, summary).axes[0].texts) == 3


def test_the_timeline_shows_the_same_messages_in_each_lane(single):
    log, summary = single
    scene = choose(log, rows(log, summary))
    assert [lane.mode for lane in scene.lanes] == list(MODES)
    assert shared(scene)
    assert len({len(lane.arrivals) for lane in scene.lanes}) == 1


def test_the_timeline_shows_polls_with_and_without_news(single):
    log, summary = single
    short = choose(log, rows(log, summary)).lanes[0]
    assert {poll.news for poll in short.polls} == {True, False}


def test_the_headline_gives_the_medians(single):
    log, summary = single
    said = headlines.latency(rows(log, summary))
    assert said.startswith("Long polling and WebSocket deliver in 1.1\u00a0ms what short polling")


def test_void_rows_do_not_speak_in_headlines(void):
    log, summary = void
    assert "ong polling" not in headlines.requests(rows(log, summary))


def test_a_crossing_lies_where_the_curves_meet(sweep):
    log, summary = sweep
    doubled = rows(log, summary).with_columns(
        figure=pl.when(pl.col("mode") == "short").then(1 / pl.col("interval_s")).otherwise(1.0)
    )
    found = list(crossings(doubled, "figure", "interval_s"))
    assert [(each.less, each.more) for each in found] == [("short", "long"), ("short", "ws")]
    assert [each.at for each in found] == pytest.approx([1, 1])
