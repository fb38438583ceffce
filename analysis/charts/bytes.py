"""Draw what the bytes of a delivered message consist of."""

import polars as pl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis import headlines
from analysis.charts.bars import bar, finish, label, marks
from analysis.charts.canvas import INK, slide, style
from analysis.charts.comparison import NAME_ROOM
from analysis.charts.curves import draw_curves
from analysis.charts.measure import Measure
from analysis.expected_bytes import COLUMN, with_expected_bytes
from analysis.rows import along, differing, representative, rows, varied, with_bytes
from analysis.runs import KEYS, figures_of_runs
from analysis.wording import measured, setting, trials
from clients.log import Log

# Greys and one colour: what is not the message is told apart by its lightness.
PARTS = {
    "body_bytes": ("messages", "#009E73"),
    "response_head_bytes": ("response heads", "#7a7a7a"),
    "request_head_bytes": ("request heads", "#b0b0b0"),
    "handshake_bytes": ("handshake", "#d9d9d9"),
    "frame_bytes": ("frames", "#333333"),
}
NOTE = "Bytes that clients handed to TCP and took from it; TCP/IP's own headers come on top."
LETTER = 0.0145  # of the longest bar: the width of a letter
TOTAL = Measure("total", "bytes up and down per delivered message", COLUMN)


def draw_bytes(log: Log, summary: pl.DataFrame) -> Figure | None:
    """Draw bytes per delivered message: stacked parts, or totals over a sweep."""
    measured_rows = with_expected_bytes(log, rows(log, summary))
    split = pl.concat([with_bytes(measured_rows), _parts(log)], how="horizontal")
    split = split.filter(pl.col("deliveries") > 0).drop_nulls("total")
    split = split.with_columns(total=pl.sum_horizontal(list(PARTS)))
    if split.is_empty():
        return None
    name = varied(split)
    with style():
        if name is None:
            return _stacks(split, headlines.total_bytes(split))
        line = along(split, name)
        row = representative(split).row(0, named=True)
        subtitle = f"{setting(row, without=name)}; {trials(split)}"
        note = f"{NOTE} Dashed: theory.{' Hollow: VOID.' * line['void'].any()}"
        figure, axes = slide(
            headlines.total_bytes(split), subtitle, note, left=0.1, axis=TOTAL.axis
        )
        draw_curves(axes, line, TOTAL, name)
        return figure


def _parts(log: Log) -> pl.DataFrame:
    """Return each part per delivery, by row of the summary: means over the runs that count."""
    runs = figures_of_runs(log).filter("averaged")
    known = pl.col("bytes_per_delivery").is_not_null()  # of an interrupted run they may not be
    each = [pl.when(known).then(pl.col(part) / pl.col("per_deliveries")) for part in PARTS]
    return runs.group_by(KEYS, maintain_order=True).agg(*[part.mean() for part in each]).drop(KEYS)


def _stacks(split: pl.DataFrame, title: str) -> Figure:
    row = split.row(0, named=True)
    subtitle = f"{setting(row, without=differing(split))}; {trials(split)}"
    line = " Line: 95 % interval." if split["trials"].max() != 1 else ""
    note = f"{NOTE} Diamond: theory.{line}"
    figure, axes = slide(title, subtitle, note, left=NAME_ROOM)
    for place, row in enumerate(split.iter_rows(named=True)):
        start = 0.0
        for part, (_, colour) in PARTS.items():
            ends = (start, start + row[part])
            bar(axes, place, ends, row, color=colour, edgecolor="white", linewidth=1.5)
            start = ends[1]
        end = max(start, *marks(axes, place, row, TOTAL))
        label(axes, (end, place), TOTAL.write(start), row, _small(split, place))
    axes.set_xlabel(TOTAL.axis, labelpad=10)
    finish(axes, split)
    _name_parts(axes, split)
    return figure


def _wide(split: pl.DataFrame, part: str, name: str) -> bool:
    """Tell whether a part's name fits into it, on the bar where it is widest."""
    return bool(split[part].max() > LETTER * len(name) * split["total"].max())  # type: ignore[operator]


def _small(split: pl.DataFrame, place: int) -> str:
    """Name the parts that are too small to be written on, beside the bar where they are largest."""
    here = [
        f"{name} {measured(split[part][place])}"
        for part, (name, _) in PARTS.items()
        if split[part].arg_max() == place
        and split[part][place] > 0
        and not _wide(split, part, name)
    ]
    return f"of it {', '.join(here)}" if here else ""


def _name_parts(axes: Axes, split: pl.DataFrame) -> None:
    """Write the name of each wide part once, on the bar where it is widest."""
    for part, (name, colour) in PARTS.items():
        good = split[part] * ~split["void"]
        place = good.arg_max()
        if place is None or good[place] == 0:
            continue
        before = list(PARTS)[: list(PARTS).index(part)]
        start = sum(split[other][place] for other in before)
        width = split[part][place]
        if _wide(split, part, name):
            dark = colour in {"#009E73", "#7a7a7a", "#333333"}
            axes.text(start + width / 2, place, name, size=16, ha="center", va="center",
                      color="white" if dark else INK)  # fmt: skip
