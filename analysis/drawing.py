"""Draw a folder's log: summary, charts and report are written here, and nowhere else."""

import io
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import polars as pl
from matplotlib.figure import Figure

from analysis.charts import CHARTS
from analysis.charts.canvas import style
from analysis.pages import Picture
from analysis.report import empty_report, report
from analysis.rows import rows
from analysis.summary import summarise
from clients.log import Log, LogError, read

PACKED = {"compress_level": 3}  # as Pillow packs by itself takes twice as long for a sixth less
SUMMARY = "summary.csv"
REPORT = "report.html"


class Drawn(msgspec.Struct, frozen=True):
    """What was made of a folder: where its report is, its rows, and all its charts."""

    report: Path
    rows: pl.DataFrame
    pictures: tuple[Picture, ...]


def draw(folder: Path) -> Path:
    """Write summary.csv, charts/ and report.html; return the report's path.

    Raise LogError when the folder is not a log with at least one run, or cannot be written to.
    """
    log = read(folder)
    return write(folder, log, summarise(log)).report


def write(folder: Path, log: Log, summary: pl.DataFrame) -> Drawn:
    """Write what `draw` writes, of a log that has been read."""
    try:
        summary.write_csv(folder / SUMMARY)
        pictures = tuple(saved(folder / "charts", drawn(CHARTS, log, summary), CHARTS))
        path = folder / REPORT
        path.write_text(report(log, summary, pictures), encoding="utf-8")
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None
    return Drawn(path, rows(log, summary), pictures)


def write_empty(folder: Path, log: Log) -> Path:
    """Write the report of an experiment of which no run has ended."""
    path = folder / REPORT
    try:
        path.write_text(empty_report(log), encoding="utf-8")
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None
    return path


def drawn(names: Iterable[str], log: Log, summary: pl.DataFrame) -> Iterator[tuple[str, Figure]]:
    """Draw each of the named charts that the log has something to show for."""
    for name in names:
        figure = CHARTS[name].draw(log, summary)
        if figure is not None:
            yield name, figure


def saved(
    folder: Path, figures: Iterable[tuple[str, Figure]], names: Iterable[str]
) -> Iterator[Picture]:
    """Save each figure twice, and return it for the page; names: whose old files must go."""
    folder.mkdir(exist_ok=True)
    for name in names:
        for old in folder.glob(f"{name}.*"):
            old.unlink()  # of an earlier analysis, which may have had more to show
    for name, figure in figures:
        with style():
            figure.savefig(folder / f"{name}.png", pil_kwargs=PACKED)
        picture = picture_of(name, figure)
        (folder / f"{name}.svg").write_bytes(picture.svg)
        yield picture


def picture_of(name: str, figure: Figure, kind: str | None = None) -> Picture:
    """Return a figure as it stands in a page, with the words of its kind of chart."""
    chart = CHARTS[kind or name]
    title = " ".join(figure.texts[0].get_text().split("\n"))
    words = (chart.question, chart.text, svg_of(figure), chart.how, chart.limits)
    return Picture(name, title, *words)


def svg_of(figure: Figure) -> bytes:
    """Return a figure as SVG, the same whenever it is drawn."""
    svg = io.BytesIO()
    with style():
        figure.savefig(svg, format="svg", metadata={"Date": None})
    return svg.getvalue()
