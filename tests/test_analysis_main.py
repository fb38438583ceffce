import contextlib
import io
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from matplotlib.figure import Figure
from msgspec.structs import replace

import analysis
from analysis import __main__ as command
from analysis.__main__ import main
from analysis.charts import CHARTS
from analysis.drawing import draw
from analysis.summary import summarise
from clients.log import Run, read
from tests.made_log import SETTINGS, SPECIAL, make_log

QUICK = replace(SETTINGS, duration_s=4, clients=2)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_log(tmp_path_factory.mktemp("main") / "log", [QUICK], trials=1)


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return shutil.copytree(made, tmp_path / "log")


@pytest.fixture(scope="module")
def analysed(made: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a folder that was analysed, over what an earlier analysis had left there."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("analysed") / "log")
    (folder / "charts").mkdir()
    (folder / "charts" / "tradeoff.svg").write_text("old")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main([str(folder)]) == 0
    return folder, out.getvalue()


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the charts out, which take most of the time, where only words are asked for."""
    monkeypatch.setattr("analysis.drawing.CHARTS", {})


def complaint(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run, and return the one line that it complains with."""
    try:
        code: object = main([str(argument) for argument in arguments])
    except SystemExit as stopped:
        code = stopped.code
    out, err = capsys.readouterr()
    assert code == 2
    assert out == ""
    assert err.startswith("python -m analysis: ")
    assert err.count("\n") == 1
    return err


def test_summary_charts_and_report_are_written(analysed: tuple[Path, str]) -> None:
    folder, out = analysed
    drawn = {name for name in CHARTS if name not in SPECIAL}
    assert {path.stem for path in folder.glob("charts/*.png")} == drawn
    assert pl.read_csv(folder / "summary.csv")["mode"].to_list() == ["short", "long", "ws"]
    assert str(folder / "report.html") in out


def test_a_chart_of_an_earlier_analysis_does_not_stay(analysed: tuple[Path, str]) -> None:
    drawn = {name for name in CHARTS if name not in SPECIAL}
    assert {path.stem for path in analysed[0].glob("charts/*.svg")} == drawn


def test_the_table_names_every_mode_and_fits_the_terminal(analysed: tuple[Path, str]) -> None:
    *table, _ = analysed[1].splitlines()
    assert all(name in analysed[1] for name in ("short polling", "long polling", "WebSocket"))
    assert max(map(len, table)) <= 100


def test_a_second_analysis_gives_the_same_bytes(analysed: tuple[Path, str]) -> None:
    folder, _ = analysed
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    draw(folder)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_no_folder_given(capsys: pytest.CaptureFixture[str]) -> None:
    assert "DIR" in complaint(capsys)


def test_a_folder_that_is_not_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "not a folder" in complaint(capsys, tmp_path / "nothing")


def test_a_foreign_folder(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert "experiment" in complaint(capsys, tmp_path)


def test_a_log_without_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    folder = make_log(tmp_path / "log", trials=0)
    assert "no run" in complaint(capsys, folder)
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "No run has ended" in report
    assert "8 clients" in report


@pytest.mark.usefixtures("undrawn")
def test_a_log_of_void_runs_is_shown_and_is_no_success(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=False, void_because="the server was busy")

    folder = make_log(tmp_path / "log", [QUICK], trials=1, spoil=spoil)
    assert main([str(folder)]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert "every run is void" in err
    assert out.count("VOID") == 3
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "VOID: every run failed a check" in report
    assert report.count("the server was busy") == 3


@pytest.mark.usefixtures("sketched")
def test_a_sweep_of_void_runs_alone_is_shown_too(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def spoil(run: Run) -> Run:
        return replace(run, valid=False, void_because="the server was busy")

    rates = [replace(QUICK, rate_per_s=rate) for rate in (2, 10)]
    assert main([str(make_log(tmp_path / "log", rates, trials=1, spoil=spoil))]) == 2
    out, err = capsys.readouterr()
    assert err.count("\n") == 1
    assert out.count("VOID") == 6


@pytest.mark.parametrize(
    ("name", "bytes_cut"), [("runs.csv", 1), ("requests.csv", 9), ("deliveries.csv", 25)]
)
@pytest.mark.usefixtures("undrawn")
def test_a_last_line_that_was_cut_off_is_left_out_and_named(
    capsys: pytest.CaptureFixture[str], folder: Path, name: str, bytes_cut: int
) -> None:
    text = (folder / name).read_bytes()
    (folder / name).write_bytes(text[:-bytes_cut])
    assert main([str(folder)]) == 2
    fault = f"the last line of {name} was cut off"
    assert fault in capsys.readouterr().err
    assert fault in (folder / "report.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("undrawn")
def test_a_run_whose_rows_were_cut_off_is_void(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    path = folder / "deliveries.csv"
    path.write_bytes(path.read_bytes()[:-9])
    log = read(folder)
    assert log.runs["valid"].to_list() == [True, True, False]
    assert "deliveries are in the file" in log.runs["void_because"][2]
    assert log.deliveries.height == log.runs["deliveries"].sum() - 1
    assert main([str(folder)]) == 2
    assert "run 2 is void" in capsys.readouterr().err


@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("names", [["deliveries"], ["requests"], ["deliveries", "requests"]])
def test_a_log_of_which_all_rows_are_missing_is_void_and_says_so(
    capsys: pytest.CaptureFixture[str], folder: Path, names: list[str]
) -> None:
    for name in names:
        path = folder / f"{name}.csv"
        path.write_text(path.read_text().splitlines()[0] + "\n")
    assert main([str(folder)]) == 2
    out, err = capsys.readouterr()
    assert out.count("VOID") == 3
    assert err.count(f"{names[0]} are in the file: rows are missing") == 3
    assert all(line.startswith("python -m analysis: ") for line in err.splitlines())
    assert "rows are missing" in (folder / "report.html").read_text(encoding="utf-8")


def test_a_missing_column_of_the_runs(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    pl.read_csv(folder / "runs.csv").drop("lost").write_csv(folder / "runs.csv")
    assert "runs.csv has no column lost" in complaint(capsys, folder)


def test_a_killed_run_without_a_row_of_its_own_does_not_spoil_the_others(folder: Path) -> None:
    lines = (folder / "runs.csv").read_text().splitlines(keepends=True)
    (folder / "runs.csv").write_text("".join(lines[:-1]))
    path = folder / "deliveries.csv"
    path.write_bytes(path.read_bytes()[:-9])
    log = read(folder)
    assert log.runs["valid"].to_list() == [True, True]
    assert "1 run has rows and none in runs.csv: killed, or cut off, and left out" in log.faults


@pytest.mark.usefixtures("undrawn")
def test_a_file_of_which_only_half_a_head_is_left(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / "requests.csv").write_text("run,client,sta")
    assert main([str(folder)]) == 2
    out, err = capsys.readouterr()
    assert out.count("VOID") == 3
    assert "requests.csv was cut off within its head, and has no rows" in err


def test_the_lines_for_a_notebook_work(folder: Path) -> None:
    example = (analysis.__doc__ or "").split("\n\n")
    lines = [line for part in example for line in part.splitlines() if "import" in line]
    steps = [line for part in example for line in part.splitlines() if "(" in line]
    code = "\n".join([*lines, *steps[:3]]).replace("runs/20260102T030405-quick", str(folder))
    names: dict[str, Any] = {"Path": Path}
    exec(code.replace("CHARTS[", "figure = CHARTS["), names)
    assert isinstance(names["figure"], Figure)


def test_every_chart_that_is_drawn_is_a_figure(folder: Path) -> None:
    log = read(folder)
    summary = summarise(log)
    drawn = [chart.draw(log, summary) for chart in CHARTS.values()]
    assert {type(figure) for figure in drawn} <= {Figure, type(None)}
    assert sum(figure is not None for figure in drawn) > 5


def test_the_shell_gets_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["analysis", str(tmp_path / "nothing")])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(command.__file__, run_name="__main__")
    assert end.value.code == 2
    assert "not a folder" in capsys.readouterr().err


def test_a_missing_column(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    pl.read_csv(folder / "requests.csv").drop("status").write_csv(folder / "requests.csv")
    assert "status" in complaint(capsys, folder)


def test_a_cell_that_is_no_number(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    rows = pl.read_csv(folder / "deliveries.csv", infer_schema=False)
    rows.with_columns(received_ns=pl.lit("soon")).write_csv(folder / "deliveries.csv")
    assert "deliveries.csv" in complaint(capsys, folder)


def test_a_file_that_is_missing(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "runs.csv").unlink()
    assert "runs.csv" in complaint(capsys, folder)


def test_a_place_that_cannot_be_written(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "summary.csv").mkdir()
    assert "cannot write" in complaint(capsys, folder)
