"""The whole path, as its users take it: one command measures, draws, and says where to look."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from math import inf
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from analysis import compare
from analysis.__main__ import main as analyse
from analysis.compare import main
from clients.measuring import FAILED
from clients.options import parse
from clients.quantum_leap.measuring import Leap
from clients.quantum_leap.records import HeaderTraffic
from clients.records import RUNS
from clients.scenarios import SCENARIOS
from tests.test_clients_main import briefly
from tests.test_clients_quantum_leap import example

TINY = ["--clients", "3", "--rate", "10", "--interval-s", "0.1", "--duration-s", "0.5"]


@pytest.fixture
def lenient(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Lift the limits that are about time: this machine may be busy."""
    for limit in ("LATE_LIMIT_MS", "LAG_LIMIT_MS", "BUSY_CLIENT", "BUSY_SERVER"):
        monkeypatch.setattr(f"clients.checks.{limit}", inf)
    return monkeypatch


def test_compare_measures_draws_and_says_where_the_report_is(
    tmp_path: Path, lenient: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out"
    arguments = ["quick", *TINY, "--trials", "1", "--out", str(folder)]
    lenient.setattr(sys, "argv", ["compare", *arguments])
    code = main()
    out, err = capsys.readouterr()
    assert code == 0, err
    assert str(folder / "report.html") in "".join(out.split())
    for mode in ("short polling", "long polling", "WebSocket"):
        assert mode in out
    summary = pl.read_csv(folder / "summary.csv")
    runs = pl.read_csv(folder / "runs.csv")
    assert summary["mode"].to_list() == ["short", "long", "ws"]
    assert summary["deliveries"].sum() == 3 * runs["messages"].sum()
    assert summary.select(pl.sum("lost", "duplicates", "out_of_order")).row(0) == (0, 0, 0)
    charts = {path.stem for path in (folder / "charts").glob("*.png")}
    assert {"latency", "requests", "empty", "bytes", "timeline", "cpu"} <= charts
    assert charts == {path.stem for path in (folder / "charts").glob("*.svg")}
    assert "<script" not in (folder / "report.html").read_text()


def test_compare_that_is_stopped_shows_what_it_has(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "analysis.compare", "quick", *TINY, "--out", str(folder)]
    process = subprocess.Popen(
        [*command, "--trials", "500"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while process.poll() is None and runs_in(folder) < 1:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert str(folder / "report.html") in "".join(out.split())
    assert (folder / "summary.csv").exists()


@pytest.mark.parametrize("earlier", [False, True])
def test_what_could_not_be_measured_is_not_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, earlier: bool
) -> None:
    if earlier:
        (tmp_path / RUNS).touch()  # of another time
    monkeypatch.setattr(compare, "measure", lambda *_: FAILED)
    monkeypatch.setattr(compare, "analyse", lambda _: pytest.fail("it was drawn"))
    command = parse("compare", ["quick", "--out", str(tmp_path)])
    assert compare.run(command, Console(quiet=True)) == FAILED


@pytest.mark.usefixtures("sketched")
def test_compare_all_ends_with_one_report_over_all(
    tmp_path: Path, lenient: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def leap(_: Leap, done: Callable[[HeaderTraffic], None]) -> None:
        done(example())

    few = {name: briefly(SCENARIOS[name]) for name in ("quick", "chat")}
    lenient.setattr("clients.options.SCENARIOS", few)
    lenient.setattr("clients.quantum_leap.showing.measure", leap)
    small = [*TINY, "--modes", "ws", "--trials", "1", "--out", str(tmp_path)]
    lenient.setattr(sys, "argv", ["compare", "all", *small])
    assert main() == 0
    out = "".join(capsys.readouterr().out.split())
    for folder in (tmp_path, tmp_path / "quick", tmp_path / "chat"):
        assert (folder / "report.html").exists()
    assert str(tmp_path / "report.html") in out
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert re.findall(r'<section id="of-([^"]+)"', page) == ["quick", "chat", "quantum-leap"]


def test_a_signal_while_it_draws_is_one_line_and_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(folder: Path) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("analysis.__main__._read", stop)
    before = signal.getsignal(signal.SIGTERM)
    assert analyse([str(tmp_path)]) == 130
    assert capsys.readouterr().err == (
        "python -m analysis: stopped: the log is as it was, and can be drawn again\n"
    )
    assert signal.getsignal(signal.SIGTERM) == before


def runs_in(folder: Path) -> int:
    runs = folder / "runs.csv"
    return len(runs.read_text().splitlines()) - 1 if runs.exists() else 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["nope"], "no scenario 'nope'"), (["--interval-s", "-1"], "not a number from 0")],
)
def test_compare_refuses_bad_input_in_one_line(
    arguments: list[str],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["compare", *arguments])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert says in line
