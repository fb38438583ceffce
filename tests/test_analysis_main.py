import contextlib
import io
import shutil
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace

from analysis.__main__ import main
from analysis.charts import CHARTS
from analysis.drawing import draw
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
    assert "no run" in complaint(capsys, make_log(tmp_path / "log", trials=0))


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
