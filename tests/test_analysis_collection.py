"""A folder of experiments becomes one report, whatever is in it."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from analysis.__main__ import analyse_all, main
from analysis.chapters import CHAPTERS, LEAP
from analysis.collection import is_collection, read_collection
from clients.log import Experiment, LogError, Run, Writer, read
from tests.conftest import sketching
from tests.made_log import SETTINGS, make_log
from tests.test_analysis_leap import written
from tests.test_analysis_report import Page
from tests.test_clients_quantum_leap import example

FEW = replace(SETTINGS, duration_s=4, clients=2)


def experiment(folder: Path, name: str, *, trials: int = 1, rates: tuple[float, ...] = (2,),
               good: bool = True, **described: object) -> None:  # fmt: skip
    """Make a log of a scenario in a folder of its name."""

    def spoil(run: Run) -> Run:
        return replace(run, valid=good, void_because="" if good else "<b>late</b>: p99 9 ms")

    settings = [replace(FEW, rate_per_s=rate) for rate in rates]
    path = make_log(folder / name, settings, trials=trials, spoil=spoil)
    scenario = name.rpartition(" ")[2]
    was: Experiment = read(path).experiment
    Writer(path).describe(replace(was, scenario=scenario, **described))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a folder of good experiments that was analysed, and what was printed."""
    folder = tmp_path_factory.mktemp("whole")
    experiment(folder, "rate", rates=(0.5, 8))
    experiment(folder, "the quick", expected="<i>half</i> a second", source="a & b")
    written(folder / LEAP, example(), example("websocket", header_mbps=0.0152))
    with sketching(), contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([str(folder)]) == 0
    return folder, out.getvalue()


@pytest.fixture(scope="module")
def text(whole: tuple[Path, str]) -> str:
    return (whole[0] / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def partial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a folder in which nothing is as it should be, and its page."""
    folder = tmp_path_factory.mktemp("partial")
    experiment(folder, "chat", finished=False)
    experiment(folder, "hold", good=False)
    experiment(folder, "payload", trials=0)
    written(folder / LEAP)
    (folder / "distance").mkdir()
    (folder / "distance" / "experiment.json").write_text("{")
    with sketching():
        assert analyse_all(folder) == 2
    return folder, (folder / "report.html").read_text(encoding="utf-8")


def test_an_experiment_is_no_collection(whole: tuple[Path, str], tmp_path: Path) -> None:
    assert is_collection(whole[0])
    assert not is_collection(whole[0] / "rate")
    assert not is_collection(tmp_path)


def test_experiments_stand_in_the_order_of_all(whole: tuple[Path, str]) -> None:
    found = read_collection(whole[0])
    assert [member.name for member in found.members] == ["the quick", "rate"]
    expected = [name for name in (*CHAPTERS, LEAP) if name not in {"quick", "rate", LEAP}]
    assert list(found.missing) == expected


def test_each_experiment_is_analysed_too(whole: tuple[Path, str]) -> None:
    folder, out = whole
    for name in ("rate", "the quick"):
        assert (folder / name / "report.html").exists()
    assert f"Report of all: {folder / 'report.html'}" in out
    assert "the quick: On average a message is " in out


def test_the_page_needs_nothing_from_elsewhere(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert not [link for link in page.links if re.match(r"(https?:)?//", link)]
    assert "@import" not in text
    assert "<script" not in text


def test_every_link_leads_somewhere(whole: tuple[Path, str], text: str) -> None:
    links = Page(text).links
    anchors = set(re.findall(r'id="([^"]+)"', text))
    assert {unquoted(link[1:]) for link in links if link.startswith("#")} <= anchors
    files = [link.partition("#")[0] for link in links if not link.startswith(("#", "data:"))]
    assert all((whole[0] / unquoted(file)).exists() for file in files)
    assert sum(file.endswith("summary.csv") for file in files) >= 2


def unquoted(link: str) -> str:
    return link.replace("%20", " ")


def test_the_contents_lead_to_every_section_in_its_order(text: str) -> None:
    contents = text.split('<ol class="contents">')[1].split("</ol>", maxsplit=1)[0]
    listed = [unquoted(link[1:]) for link in Page(contents).links]
    assert listed == re.findall(r'<section id="([^"]+)"', text)


def test_each_answer_stands_beside_what_was_expected(text: str) -> None:
    found = text.split('<section id="found">')[1].split("</section>", maxsplit=1)[0]
    assert "On average a message is " in found
    assert "&lt;i&gt;half&lt;/i&gt; a second" in found
    assert "a &amp; b" in found
    assert "454 to 1" in found


def test_figures_are_numbered_and_a_chart_is_explained_once(text: str) -> None:
    numbers = [int(number) for number in re.findall(r"<b>Figure (\d+)\.</b>", text)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(Page(text).pictures) == len(numbers)
    assert text.count("Which bytes carry the message?") == 2
    assert text.count("A poll repeats its heads for each request") == 1
    assert 'as <a href="#figure-3">figure&nbsp;3</a>' in text


def test_the_theory_chapter_stands_by_rate_and_flags_from_five_per_cent(tmp_path: Path) -> None:
    experiment(tmp_path, "theory", rates=(8, 0.5))
    assert analyse_all(tmp_path) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    chapter = page.split('<section id="of-theory"')[1].split("</section>")[0]
    assert re.findall(r"([\d.]+) messages/s</td>", chapter) == ["0.5"] * 3 + ["8"] * 3
    assert "marks one above 5&nbsp;%" in chapter
    assert '<section id="which">' in page  # though no setting is one that people know
    assert "In settings that people know" not in page


def test_the_published_table_stands_beside_the_measured_one(text: str) -> None:
    chapter = text.split(f'<section id="of-{LEAP}"')[1].split("</section>", maxsplit=1)[0]
    assert "<td>6.6</td><td>6.6</td><td>6.9</td><td>6.9</td>" in chapter


def test_of_modes_that_were_not_measured_together_no_verdict_is_given(tmp_path: Path) -> None:
    experiment(tmp_path, "quick", good=False)
    assert analyse_all(tmp_path) == 2
    assert "Which mode when" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_what_is_not_as_it_should_be_is_named(partial: tuple[Path, str]) -> None:
    warned = re.findall(r'<p class="warn">(.*?)</p>', partial[1])
    for said in (
        "chat was ended before its time",
        "hold: every run is void",
        "payload: no run has ended",
        "distance is left out: ",
        f"{LEAP}: no crowd was measured",
        "Not measured, or not in this folder: quick, interval, ",
    ):
        assert sum(said in line for line in warned) == 1, said
    assert "<b>late</b>" not in partial[1]
    assert "&lt;b&gt;late&lt;/b&gt; (3)" in partial[1]


def test_an_experiment_without_a_run_has_a_report_that_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    experiment(tmp_path, "payload", trials=0)
    assert main([str(tmp_path)]) == 2
    own = (tmp_path / "payload" / "report.html").read_text(encoding="utf-8")
    assert "No run has ended" in own
    assert "payload: no run has ended, so it has no chapter" in capsys.readouterr().err


@pytest.mark.usefixtures("sketched")
def test_an_experiment_with_rows_missing_is_shown_and_is_no_success(tmp_path: Path) -> None:
    experiment(tmp_path, "quick", trials=2)
    path = tmp_path / "quick" / "deliveries.csv"
    path.write_bytes(path.read_bytes()[:-9])
    assert analyse_all(tmp_path) == 2
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.search(r'<p class="warn">quick: .*was cut off', page)


def test_what_is_there_is_shown_all_the_same(partial: tuple[Path, str]) -> None:
    sections = re.findall(r'<section id="of-([^"]+)"', partial[1])
    assert sections == ["chat", "hold", LEAP]
    assert Page(partial[1]).open == []


def test_a_folder_of_nothing_readable_is_an_error_in_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "experiment.json").write_text("{")
    assert main([str(tmp_path)]) == 2
    assert "quick" in capsys.readouterr().err
    with pytest.raises(LogError, match="is not a folder"):
        read(tmp_path / "nothing")
