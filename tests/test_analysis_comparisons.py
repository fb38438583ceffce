"""What is said of a log whose modes, and kinds, differ by known factors."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis import headlines
from analysis.charts import CHARTS
from analysis.comparisons import in_words, sentences, told
from analysis.ratios import FIGURES, Ratio
from analysis.rows import differing, labels, rows, varied
from analysis.summary import summarise
from clients.log import Log, Run
from tests.made_log import SETTINGS, made

QUICK = replace(SETTINGS, duration_s=6, clients=3)


def said(log: Log) -> list[str]:
    spaced = (text.replace("\u00a0", " ") for text in sentences(log, rows(log, summarise(log))))
    return list(spaced)


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Log:
    """Return a log of compressed and uncompressed sockets, the first with thrice the CPU."""

    def spoil(run: Run) -> Run:
        each_s = (0.003 if run.deflate else 0.001) * (1 + run.trial)
        return replace(run, server_cpu_s=each_s * run.clients * (run.messages or 0))

    settings = [
        replace(QUICK, payload_bytes=size, deflate=on)
        for size in (64, 1024)
        for on in (False, True)
    ]
    folder = tmp_path_factory.mktemp("kinds") / "log"
    return made(folder, *settings, trials=2, modes=("ws",), spoil=spoil)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (Ratio(2.0, 1.9, 2.1), "1.9 to 2.1 times"),
        (Ratio(2.0, 2.01, 2.02), "2.0 times"),
        (Ratio(0.05, 0.048, 0.053), "0.048 to 0.053 times"),
        (Ratio(1.03, 1.02, 1.04), "1.02 to 1.04 times"),
        (Ratio(1.03, 0.98, 1.04), "0.98 to 1.04 times (no difference that can be told)"),
        (Ratio(1.0, 1.0001, 1.0002), "1.00 times (no difference that can be told)"),
        (Ratio(450.0, 412, 488), "412 to 488 times"),
        (Ratio(2.04), "about 2.0 times"),
    ],
)
def test_a_ratio_is_written_as_people_say_it(ratio: Ratio, words: str) -> None:
    assert in_words(ratio).replace("\u00a0", " ") == words


def test_figures_differ_when_the_interval_leaves_out_one() -> None:
    assert told(Ratio(2.0, 1.9, 2.1))
    assert told(Ratio(0.5, 0.4, 0.6))
    assert not told(Ratio(1.0, 0.9, 1.1))
    assert not told(Ratio(2.0))


def test_each_figure_of_each_mode_is_held_against_websocket(tmp_path: Path) -> None:
    lines = said(made(tmp_path / "log", QUICK, trials=2))
    assert len(lines) == len(FIGURES)
    assert all("times WebSocket's, long polling's " in line for line in lines)
    assert lines[0].startswith("Short polling's p50 is ")
    assert "bytes for each message are" in lines[3]


def test_without_a_good_websocket_the_last_mode_is_the_reference(tmp_path: Path) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=run.mode != "ws")

    lines = said(made(tmp_path / "log", QUICK, trials=2, spoil=spoil))
    assert all("WebSocket" not in line and "long polling's" in line for line in lines)


def test_a_sweep_is_compared_at_one_setting_that_is_named(tmp_path: Path) -> None:
    settings = [replace(QUICK, rate_per_s=rate) for rate in (1, 2, 5)]
    lines = said(made(tmp_path / "log", *settings, trials=2))
    assert len(lines) == len(FIGURES)
    assert all(line.startswith("At 2 messages/s: Short polling's") for line in lines)


def test_kinds_are_compared_where_nothing_else_differs(kinds: Log) -> None:
    cpu = said(kinds)[-1]
    assert cpu == (
        "Compressed in place of not compressed: server CPU for each message is "
        "3.0 times for 64 bytes, 3.0 times for 1,024 bytes"
    )


def test_kinds_have_no_axis_and_each_row_has_a_name_of_its_own(kinds: Log) -> None:
    every = rows(kinds, summarise(kinds))
    assert varied(every) is None
    assert differing(every) == ["payload_bytes", "deflate"]
    assert labels(every) == [
        "WebSocket\n64 bytes\nnot compressed",
        "WebSocket\n64 bytes\ncompressed",
        "WebSocket\n1,024 bytes\nnot compressed",
        "WebSocket\n1,024 bytes\ncompressed",
    ]


@pytest.mark.parametrize("name", ["requests", "bytes", "cpu"])
def test_charts_draw_a_bar_for_each_kind_and_name_it(kinds: Log, name: str) -> None:
    summary = summarise(kinds)
    figure = CHARTS[name].draw(kinds, summary)
    assert figure is not None
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == labels(rows(kinds, summary))


def test_every_chart_draws_kinds(kinds: Log) -> None:
    summary = summarise(kinds)
    for chart in CHARTS.values():
        chart.draw(kinds, summary)


def test_headlines_tell_kinds_apart(kinds: Log) -> None:
    text = headlines.cpu(rows(kinds, summarise(kinds)))
    assert text.endswith("not compressed 1,500 and 1,500, compressed 4,500 and 4,500")


def test_a_kind_is_named_only_where_it_concerns_the_mode(tmp_path: Path) -> None:
    settings = [replace(QUICK, keepalive=kept) for kept in (True, False)]
    log = made(tmp_path / "log", *settings, trials=1)
    names = labels(rows(log, summarise(log)))
    assert names[:3] == [
        "Short polling\nconnections kept",
        "Long polling\nconnections kept",
        "WebSocket",
    ]
    assert names[3] == "Short polling\nnew connections"


@pytest.mark.parametrize("name", ["jitter_ms", "kbit_per_s", "stall_s"])
def test_a_number_that_the_contract_does_not_know_is_an_axis_too(tmp_path: Path, name: str) -> None:
    settings = [replace(QUICK, **{name: value}) for value in (1, 2)]
    log = made(tmp_path / "log", *settings, trials=1)
    summary = summarise(log)
    assert varied(rows(log, summary)) == name
    for chart in CHARTS.values():
        chart.draw(log, summary)
    assert list(sentences(log, rows(log, summary)))
