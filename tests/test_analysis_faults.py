"""What faults cost is laid to the right fault, reader and kind of reader, and said as it is."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from msgspec.structs import replace
from polars.testing import assert_frame_equal
from rich.console import Console

from analysis.__main__ import analyse
from analysis.after_fault import NO_FAULT, Cost, of_reader
from analysis.charts import CHARTS
from analysis.faults import costs
from analysis.faults_printed import print_faults
from analysis.faults_words import faults_answer, faults_table
from analysis.joined import join
from analysis.modes import MODES
from analysis.report import report
from analysis.runs import window_deliveries
from analysis.summary import summarise
from clients.log import Beside, Log
from tests.made_log import SETTINGS, made

S = 10**9
FAULTS = pl.DataFrame(
    {"kind": ["cut", "drop"], "began_ns": [10 * S, 20 * S], "ended_ns": [10 * S, 22 * S]}
)


def messages(*at_s: float) -> pl.DataFrame:
    """Return messages that were published at these seconds, numbered from 1."""
    stamps = [round(at * S) for at in at_s]
    return pl.DataFrame({"message": range(1, len(stamps) + 1), "published_ns": stamps})


def requests(*asked_s: float, failed_s: tuple[float, ...] = ()) -> pl.DataFrame:
    """Return requests that went well at once, and such that failed at these seconds."""
    rows = [(at, 200) for at in asked_s] + [(at, 0) for at in failed_s]
    stamps = [round(at * S) for at, _ in rows]
    return pl.DataFrame(
        {"started_ns": stamps, "ended_ns": stamps, "status": [status for _, status in rows]},
        schema=dict.fromkeys(("started_ns", "ended_ns", "status"), pl.Int64),
    )


def cost(
    published: pl.DataFrame,
    got: dict[int, float],
    *asked_s: float,
    failed_s: tuple[float, ...] = (),
) -> list[Cost]:
    """Return the costs of a reader that got messages, in this order, at these seconds."""
    order = pl.DataFrame(
        {"message": list(got), "received_ns": [round(at * S) for at in got.values()]},
        schema={"message": pl.Int64, "received_ns": pl.Int64},
    )
    own = order.join(published, on="message", how="left", maintain_order="left")
    return of_reader(FAULTS, published, own, requests(*asked_s, failed_s=failed_s))


def test_who_gets_all_in_time_has_lost_nothing() -> None:
    published = messages(1, 11, 21, 23)
    cut, drop, before = cost(published, {1: 1.1, 2: 11.1, 3: 22.5, 4: 23.1}, 10.5, 20.5, 22.2, 23.0)
    assert (cut.lost, cut.duplicates, cut.out_of_order, cut.caught_up) == (0, 0, 0, 0)
    assert cut.recovery_ms == pytest.approx(1100)
    assert (drop.lost, drop.caught_up, drop.requests) == (0, 1, 3)
    assert drop.recovery_ms == pytest.approx(1100)
    assert before == Cost(NO_FAULT)


def test_a_lost_message_is_laid_to_the_fault_under_which_a_request_failed() -> None:
    # The third had not been asked for when the connections were cut; the first came before any.
    published = messages(5, 6, 9.9, 10.5, 11, 21, 25)
    got = {2: 6.1, 5: 11.1, 7: 25.1}
    cut, drop, before = cost(published, got, failed_s=(5.5, 10.2, 20.1, 20.3))
    assert (before.lost, cut.lost, drop.lost) == (1, 2, 1)


def test_messages_lost_in_a_row_are_laid_to_what_led_the_reader_astray() -> None:
    published = messages(5, 10.5, 15, 21, 21.5, 25)
    cut, drop, _ = cost(published, {1: 5.1, 6: 25.1}, failed_s=(10.1, 20.5))
    assert (cut.lost, drop.lost) == (4, 0)
    assert cut.met
    assert cut.recovery_ms == pytest.approx(15_100)
    assert not drop.met
    assert drop.recovery_ms is None


def test_what_is_lost_though_no_request_failed_is_laid_to_the_time_of_its_publish() -> None:
    cut, drop, before = cost(messages(5, 11, 21, 25), {4: 25.1})
    assert (before.lost, cut.lost, drop.lost) == (3, 0, 0)
    cut, drop, before = cost(messages(5, 11, 21, 25), {1: 5.1, 2: 11.1, 4: 25.1})
    assert (before.lost, cut.lost, drop.lost) == (0, 0, 1)


def test_what_comes_twice_or_late_is_laid_to_the_fault_before_it() -> None:
    published = messages(11, 12, 23)
    order = pl.DataFrame({"message": [2, 1, 1, 3], "received_ns": [12 * S, 13 * S, 21 * S, 24 * S]})
    own = order.join(published, on="message", how="left", maintain_order="left")
    cut, drop, _ = of_reader(FAULTS, published, own, requests())
    assert (cut.duplicates, cut.out_of_order) == (0, 1)
    assert (drop.duplicates, drop.out_of_order) == (1, 0)


def test_who_never_comes_back_has_no_time_of_recovery() -> None:
    cut, drop, _ = cost(messages(1, 11, 23), {1: 1.1, 2: 11.5}, 20.5)
    assert cut.recovery_ms == pytest.approx(1500)
    assert drop.recovery_ms is None
    assert (drop.lost, drop.requests) == (1, 0)


def faulty(folder: Path, *, spoil: bool = False) -> Log:
    """Return a log with a cut and a drop, whose readers without a cursor lost what then came."""
    settings = replace(SETTINGS, clients=2, rate_per_s=10, faults_per_s=0.1)
    log = made(folder, settings, trials=1)
    runs = log.runs.with_columns(valid=~pl.lit(spoil), gaps=pl.lit(0))
    start = int(log.runs["window_start_ns"][0])
    began, ended = [start + 5 * S, start + 12 * S], [start + 5 * S, start + 14 * S]
    faults = pl.concat(
        pl.DataFrame({
            "run": [run] * 2, "kind": ["cut", "drop"], "began_ns": began, "ended_ns": ended,
            "server_rss_bytes": [50 * 2**20, 51 * 2**20], "server_files": [30, 31],
        })
        for run in log.runs["run"]
    )  # fmt: skip
    away = pl.col("published_ns").is_between(began[1], ended[1])
    # The made log numbers readers from 0.
    deliveries = log.deliveries.with_columns(client=pl.col("client") + 1)
    requests = log.requests.with_columns(client=pl.col("client") + 1)
    beside = Beside(faults, requests, deliveries.filter(~away))
    return replace(log, runs=runs, deliveries=deliveries, requests=requests, beside=beside)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    return faulty(tmp_path_factory.mktemp("faults") / "log")


def row(rows: pl.DataFrame, **which: Any) -> dict[str, Any]:
    (found,) = rows.filter(**which).to_dicts()
    return found


@pytest.mark.parametrize("mode", MODES)
def test_a_row_sums_up_readers_and_times(log: Log, mode: str) -> None:
    rows = costs(log)
    with_cursor, without = (row(rows, kind="drop", mode=mode, naive=n) for n in (False, True))
    assert (with_cursor["lost"], with_cursor["times"], with_cursor["readers"]) == (0, 1, 2)
    gone = log.deliveries.height - log.beside.deliveries.height  # type: ignore[union-attr]
    assert without["lost"] == gone / 3 > 0
    assert with_cursor["lasts_ms"] == 2000
    assert row(rows, kind="cut", mode=mode, naive=True)["lost"] == 0


def test_readers_without_a_cursor_are_in_no_figure_of_a_mode(log: Log) -> None:
    alone = replace(log, beside=None)
    assert_frame_equal(summarise(log), summarise(alone))
    assert_frame_equal(window_deliveries(log), window_deliveries(alone), check_row_order=False)


def test_runs_with_faults_are_on_no_map_of_costs(log: Log) -> None:
    assert join([log]) is None


def test_a_log_without_faults_has_no_such_table(tmp_path: Path) -> None:
    plain = made(tmp_path / "log", trials=1)
    assert faults_table(plain) is None
    assert faults_answer(plain) is None
    assert CHARTS["faults"].draw(plain, summarise(plain)) is None


def test_the_answer_names_what_was_lost_and_how_soon_all_were_back(log: Log) -> None:
    said = (faults_answer(log) or "").replace("\u00a0", " ")
    assert said.startswith("Of 2 faults, readers with a cursor had none of their messages lost")
    lost = row(costs(log), kind="drop", mode="ws", naive=True)["lost"]
    assert said.endswith(f"{lost} (WebSocket)")


def test_the_report_has_the_table_and_the_chart_says_the_same(log: Log) -> None:
    page = report(log, summarise(log), [])
    assert "Theory beside measurement" not in page
    table = faults_table(log)
    assert table is not None
    assert [group["kind"] for group in table["groups"]] == [
        "connections cut, once", "line down for 2.0\u00a0s, once"
    ]  # fmt: skip
    assert table["held"].startswith("The server's process held 50.0 MiB and 30 open files")
    figure = CHARTS["faults"].draw(log, summarise(log))
    assert figure is not None
    lost = costs(log).filter(naive=True)["lost"].sum()
    title = " ".join(figure.texts[0].get_text().split())
    assert title == f"Without a cursor, readers lost {lost} messages to faults; with one, none"
    assert [axes.get_xlabel() for axes in figure.axes][-1] == "until the reader was current again"


def test_theory_knows_no_faults(log: Log) -> None:
    expected = summarise(log).select(pl.selectors.starts_with("theory_"))
    assert expected.null_count().row(0) == (3,) * expected.width


def test_the_terminal_shows_the_same_table(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    print_faults(log, Console(width=200))
    said = capsys.readouterr().out.replace("\u00a0", " ")
    assert "line down for 2.0 s, once" in said
    assert said.count("WebSocket") == 4
    assert "Readers with a cursor were told of 0 gaps." in said
    assert "at the last." in said


def test_what_no_reader_of_a_mode_had_is_lost_all_the_same(log: Log) -> None:
    assert log.beside is not None
    run = log.runs.filter(mode="ws")["run"].item()
    gone = (pl.col("run") == run) & (pl.col("message") == 9)
    beside = replace(log.beside, deliveries=log.beside.deliveries.filter(~gone))
    rows = costs(replace(log, deliveries=log.deliveries.filter(~gone), beside=beside))
    assert rows.filter(mode="ws", naive=False)["lost"].sum() == 2  # of two readers
    assert rows.filter(mode="long", naive=False)["lost"].sum() == 0


def test_what_was_lost_though_no_fault_had_come_is_a_group_of_its_own(log: Log) -> None:
    assert log.beside is not None
    ws = log.runs.filter(mode="ws")["run"].item()
    calm = replace(log.beside, faults=log.beside.faults.filter(pl.col("run") != ws))
    rows = costs(replace(log, beside=calm))
    found = row(rows, mode="ws")
    gone = log.deliveries.height - log.beside.deliveries.height
    assert (found["kind"], found["naive"], found["lost"]) == (NO_FAULT, True, gone / 3)
    table = faults_table(replace(log, beside=calm))
    assert table is not None
    assert table["groups"][-1]["kind"] == "before any"


def test_what_a_server_held_is_not_said_where_it_could_not_be_seen(log: Log) -> None:
    assert log.beside is not None
    unseen = log.beside.faults.with_columns(server_rss_bytes=pl.lit(None, pl.Int64))
    table = faults_table(replace(log, beside=replace(log.beside, faults=unseen)))
    assert table is not None
    assert table["held"] == ""


def test_a_reader_that_never_came_back_has_no_dot(log: Log) -> None:
    assert log.beside is not None
    ended_ns = log.beside.faults["ended_ns"].max()
    run = log.runs.filter(mode="ws")["run"].item()
    there = (pl.col("run") != run) | (pl.col("published_ns") < ended_ns)
    beside = replace(log.beside, deliveries=log.beside.deliveries.filter(there))
    away = replace(log, deliveries=log.deliveries.filter(there), beside=beside)
    figure = CHARTS["faults"].draw(away, summarise(log))
    assert figure is not None
    dots = [line for line in figure.axes[-1].lines if line.get_marker() == "o"]
    assert len(dots) == costs(away)["recovery_p50_ms"].count() == 2 * 2 * 3 - 2


@pytest.mark.parametrize(("lost", "code"), [(0, 0), (1, 2)])
def test_a_loss_in_spite_of_a_cursor_is_no_success(
    log: Log,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    lost: int,
    code: int,
) -> None:
    lossy = replace(log, runs=log.runs.with_columns(lost=pl.lit(lost)))
    monkeypatch.setattr("analysis.__main__._read", lambda _: lossy)
    monkeypatch.setattr("analysis.drawing.CHARTS", {})
    assert analyse(tmp_path) == code
    assert ("with a cursor lost" in capsys.readouterr().err) == bool(lost)


def test_faults_of_different_settings_stand_apart(log: Log) -> None:
    assert log.beside is not None
    runs = log.runs.with_columns(
        run=pl.col("run") + 10, setting=pl.lit(1, pl.Int64), rtt_ms=pl.lit(100.0)
    )

    def twice(rows: pl.DataFrame) -> pl.DataFrame:
        return pl.concat([rows, rows.with_columns(run=pl.col("run") + 10)])

    beside = Beside(*map(twice, (log.beside.faults, log.beside.requests, log.beside.deliveries)))
    both = replace(log, runs=pl.concat([log.runs, runs]), requests=twice(log.requests),
                   deliveries=twice(log.deliveries), beside=beside)  # fmt: skip
    assert_frame_equal(costs(both).filter(setting=0), costs(log))
    table = faults_table(both)
    assert table is not None
    kinds = [group["kind"] for group in table["groups"]]
    assert kinds[1] == "line down for 2.0\u00a0s, once; 0 ms round trip"
    assert kinds[3] == "line down for 2.0\u00a0s, once; 100 ms round trip"
    assert (faults_answer(both) or "").startswith("Of 4 faults, ")
    figure = CHARTS["faults"].draw(both, summarise(both))
    assert figure is not None
    about = figure.texts[1].get_text()
    assert about.startswith("One of the settings, 100 ms round trip: 2 faults, the same for all")


def test_the_title_counts_what_nobody_had_as_the_answer_does(log: Log) -> None:
    lossy = replace(log, runs=log.runs.with_columns(lost=pl.when(pl.col("mode") == "ws").then(2)
                                                    .otherwise(0)))  # fmt: skip
    figure = CHARTS["faults"].draw(lossy, summarise(lossy))
    assert figure is not None
    assert figure.texts[0].get_text().endswith("with one, 2")
    assert "had 2 of their messages lost" in (faults_answer(lossy) or "")
