import base64
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.charts import CHARTS
from analysis.comparison_table import compare_with_theory, theory_rows
from analysis.drawing import draw
from analysis.report import report
from analysis.summary import summarise
from clients.log import Run, Writer, read
from tests.conftest import sketching
from tests.made_log import SETTINGS, SPECIAL, make_log

QUICK = replace(SETTINGS, duration_s=8, clients=3)


def words(folder: Path) -> str:
    """Return a log's report without its pictures."""
    log = read(folder)
    return report(log, summarise(log), [])


class Page(HTMLParser):
    """Collect what a page refers to, what it shows, and whether every tag is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pictures: list[dict[str, str]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.links += [found[name] for name in ("src", "href") if name in found]
        self.pictures += [found] if tag == "img" else []
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    def spoil(run: Run) -> Run:
        reason = "<b>late</b> & lost" if run.mode == "long" else ""
        return replace(run, valid=not reason, void_because=reason)

    folder = make_log(tmp_path_factory.mktemp("report") / "log", [QUICK], trials=2, spoil=spoil)
    experiment = replace(
        read(folder).experiment,
        question="<i>Which</i> way & why?",
        expected="half the <interval>",
        source="renewal & theory",
    )
    Writer(folder).describe(experiment)
    with sketching():
        draw(folder)
    return folder


@pytest.fixture(scope="module")
def text(folder: Path) -> str:
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_the_report_needs_nothing_from_elsewhere(text: str, page: Page) -> None:
    assert not [link for link in page.links if re.match(r"(https?:)?//", link)]
    assert "@import" not in text
    assert "url(" not in text
    assert "<script" not in text


def test_the_report_says_what_theory_takes_a_window_for(text: str) -> None:
    assert "a whole number of gaps between messages" in text


def test_every_tag_is_closed(page: Page) -> None:
    assert page.open == []


def test_the_report_contains_every_chart_that_was_drawn(folder: Path, page: Page) -> None:
    inside = [base64.b64decode(image["src"].split(",")[1]) for image in page.pictures]
    assert sorted(inside) == sorted(path.read_bytes() for path in folder.glob("charts/*.svg"))
    assert len(inside) == len(CHARTS) - len(SPECIAL & CHARTS.keys())


def test_every_chart_has_words_in_place_of_the_picture(page: Page) -> None:
    assert all(len(image["alt"]) > 20 for image in page.pictures)


def test_what_the_log_says_is_escaped(text: str) -> None:
    assert "<i>Which" not in text
    assert "&lt;i&gt;Which&lt;/i&gt; way &amp; why?" in text
    assert "&lt;b&gt;late&lt;/b&gt; &amp; lost" in text


def test_void_runs_and_their_reasons_are_shown(text: str) -> None:
    assert "2 of 6 runs are void" in text
    assert "4 of 6 runs passed every check" in text


def test_the_question_is_answered_beside_what_was_expected(text: str) -> None:
    header = text.split("<header>")[1].split("<nav", maxsplit=1)[0]
    assert '<p class="answer">On average a message is ' in header
    assert "<dt>Expected</dt><dd>half the &lt;interval&gt;</dd>" in header
    assert "<dt>Source</dt><dd>renewal &amp; theory</dd>" in header


def test_what_the_emulated_line_adds_is_said_where_there_is_one(tmp_path: Path, text: str) -> None:
    assert "Distance was emulated" not in text
    far = words(make_log(tmp_path / "log", [replace(QUICK, rtt_ms=2, duration_s=3)], trials=1))
    assert "Distance was emulated: over WebSocket a transit took " in far


def test_links_lead_to_files_beside_the_report(folder: Path, page: Page) -> None:
    files = [link for link in page.links if not link.startswith(("#", "data:"))]
    assert "summary.csv" in files
    assert all((folder / file).exists() for file in files)


def test_the_report_says_when_there_is_no_interval(tmp_path: Path) -> None:
    one = words(make_log(tmp_path / "log", [QUICK], trials=1))
    assert "no confidence interval" in one


def test_the_report_says_when_the_experiment_was_cut_short(tmp_path: Path, text: str) -> None:
    assert "before its time" not in text
    folder = make_log(tmp_path / "log", [QUICK], trials=1)
    Writer(folder).describe(replace(read(folder).experiment, finished=False))
    assert "before its time" in words(folder)


def test_the_contents_lead_to_every_section(page: Page, text: str) -> None:
    anchors = [link[1:] for link in page.links if link.startswith("#")]
    sections = re.findall(r'<section id="([^"]+)"', text)
    assert sorted(set(anchors)) == sorted(sections)
    assert {"summary", "figures", "theory", "checks", "environment", "data"} <= set(sections)


def test_beside_the_intervals_stands_how_often_they_hold(tmp_path: Path, text: str) -> None:
    said = "From 2 runs, a 95\u00a0% interval of a mean holds in about 50 of 100 cases"
    for name in ("summary", "figures"):
        assert said in text.split(f'id="{name}"')[1].split("</section>", maxsplit=1)[0]
    assert "of 100 cases" not in words(make_log(tmp_path / "log", [QUICK], trials=1))


def test_every_chart_says_how_it_is_measured_and_what_it_does_not_show(text: str) -> None:
    for part in text.split('class="chart"')[1:]:
        assert "<dt>Measured</dt>" in part.split("</section>")[0]
        assert "<dt>Not shown</dt>" in part.split("</section>")[0]


def test_the_summary_compares_the_modes_with_an_interval(text: str) -> None:
    summary = text.split('id="summary"')[1].split("</section>", maxsplit=1)[0]
    assert re.search(r"polling&#39;s p50 is [\d.]+ to [\d.]+\xa0times WebSocket&#39;s", summary)


def test_each_run_stands_under_the_checks_with_its_verdict(tmp_path: Path, text: str) -> None:
    rows = text.split("Each run</h3>")[1].split("</table>", maxsplit=1)[0].split("<tr>")[2:]
    assert len(rows) == 6
    assert sum("<strong>VOID</strong>: &lt;b&gt;late" in row for row in rows) == 2
    assert sum(">good</td>" in row for row in rows) == 4


def test_a_failed_check_is_flagged_in_its_runs_row(tmp_path: Path) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, client_lag_p99_ms=33.0) if run.mode == "ws" else run

    page = words(make_log(tmp_path / "log", [QUICK], trials=1, spoil=spoil))
    rows = page.split("Each run</h3>")[1].split("</table>")[0].split("<tr>")[2:]
    assert ['<span class="flag">33\xa0ms</span>' in row for row in rows] == [False, False, True]
    assert '<span class="flag">1 failed</span>' in page


def test_a_figure_far_from_theory_is_flagged(tmp_path: Path) -> None:
    log = read(make_log(tmp_path / "log", [QUICK], trials=1))
    summary = summarise(log)
    near = report(log, summary, [])
    assert "+40" not in near
    far = summary.with_columns(latency_mean_ms_theory_difference_percent=40.0)
    assert report(log, far, []).count('<span class="flag">+40\xa0%</span>') == 6


def test_how_far_is_far_may_be_said(tmp_path: Path) -> None:
    summary = summarise(read(make_log(tmp_path / "log", [QUICK], trials=1)))
    seven = summary.with_columns(latency_mean_ms_theory_difference_percent=7.0)
    assert [row[0].off for row in theory_rows(seven)] == [False] * 3
    assert [row[0].off for row in theory_rows(seven, 5)] == [True] * 3


def test_settings_that_are_unusual_are_named(tmp_path: Path) -> None:
    odd = replace(QUICK, deflate=True, stall_s=1, jitter_ms=7, duration_s=3)
    page = words(make_log(tmp_path / "log", [odd], trials=1))
    assert "7 ms jitter, 1 s stall, compressed" in page


def test_a_sweep_shows_every_setting_in_one_table(tmp_path: Path) -> None:
    settings = [replace(QUICK, rate_per_s=rate, duration_s=4) for rate in (1, 2, 5)]
    page = words(make_log(tmp_path / "log", settings, trials=1))
    overview = page.split("<caption>Every setting; bold: the least at its setting</caption>")[
        1
    ].split("</table>")[0]
    assert overview.count("<tr") == 1 + 9
    assert all(f"{rate}\u00a0messages/s" in overview for rate in (1, 2, 5))


def test_a_log_that_was_cut_off_is_marked_incomplete(tmp_path: Path) -> None:
    folder = make_log(tmp_path / "log", [QUICK], trials=2)
    path = folder / "deliveries.csv"
    path.write_bytes(path.read_bytes()[:-3])
    assert "Incomplete: the last line of deliveries.csv" in words(folder)


def test_a_sweep_of_intervals_says_what_the_shortest_still_costs(tmp_path: Path) -> None:
    several = [replace(QUICK, interval_s=interval_s) for interval_s in (0.2, 1)]
    page = words(make_log(tmp_path / "log", several, trials=1))
    assert "Even asking every 0.2 s, short polling is " in page
    assert "Even asking" not in words(make_log(tmp_path / "one", [QUICK], trials=1))


def test_of_a_crowd_the_report_says_how_many_were_measured(tmp_path: Path, text: str) -> None:
    folder = make_log(tmp_path / "log", [QUICK], trials=1,
                      spoil=lambda run: replace(run, crowd_clients=2))  # fmt: skip
    page = words(folder)
    for name in ("figures", "settings"):
        part = page.split(f'<section id="{name}"')[1].split("</section>", maxsplit=1)[0]
        assert "3 clients, 1 of them measured one by one, 2 messages/s" in part
    assert "measured one by one" not in text


def test_a_percentile_of_few_messages_says_of_how_many(tmp_path: Path, text: str) -> None:
    assert "<small>of 32 messages</small>" in text
    many = replace(QUICK, rate_per_s=100, duration_s=1, warmup_s=0.1, clients=1)
    summary = summarise(read(make_log(tmp_path / "log", [many], trials=1, modes=("ws",))))
    assert not any(cell.note for _, cells in compare_with_theory(summary) for cell in cells)


def test_what_was_not_there_is_said(text: str) -> None:
    assert "<li>There was no TLS, no proxy and no browser; each of them adds " in text


def test_what_a_sessions_figures_are_shared_out_among_is_said(text: str) -> None:
    assert "shared out among all\nmessages that it brought, those of the warm-up too." in text
