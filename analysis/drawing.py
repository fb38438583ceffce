"""Draw a folder's log: summary, charts and report are written here, and nowhere else."""

import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from analysis.charts import CHARTS
from analysis.charts.canvas import style
from analysis.report import Picture, empty_report, report
from analysis.summary import summarise
from clients.log import Log, LogError, read

SUMMARY = "summary.csv"
REPORT = "report.html"


def draw(folder: Path) -> Path:
    """Write summary.csv, charts/ and report.html; return the report's path.

    Raise LogError when the folder is not a log with at least one run, or cannot be written to.
    """
    log = read(folder)
    return write(folder, log, summarise(log))


def write(folder: Path, log: Log, summary: pl.DataFrame) -> Path:
    """Write what `draw` writes, of a log that has been read."""
    try:
        summary.write_csv(folder / SUMMARY)
        pictures = list(_pictures(folder / "charts", log, summary))
        path = folder / REPORT
        path.write_text(report(log, summary, pictures), encoding="utf-8")
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None
    return path


def write_empty(folder: Path, log: Log) -> Path:
    """Write the report of an experiment of which no run has ended."""
    path = folder / REPORT
    try:
        path.write_text(empty_report(log), encoding="utf-8")
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None
    return path


def _pictures(folder: Path, log: Log, summary: pl.DataFrame) -> Iterator[Picture]:
    """Draw each chart once, and save it twice."""
    folder.mkdir(exist_ok=True)
    for name, chart in CHARTS.items():
        for old in folder.glob(f"{name}.*"):
            old.unlink()  # of an earlier analysis, which may have had more to show
        figure = chart.draw(log, summary)
        if figure is None:
            continue
        svg = io.BytesIO()
        with style():
            figure.savefig(folder / f"{name}.png")
            figure.savefig(svg, format="svg", metadata={"Date": None})
        (folder / f"{name}.svg").write_bytes(svg.getvalue())
        title = " ".join(figure.texts[0].get_text().split("\n"))
        words = (chart.question, chart.text, svg.getvalue(), chart.how, chart.limits)
        yield Picture(name, title, *words)
