"""Compare the modes in one measure: bars for a single setting, curves for a sweep.

The charts of requests, empty responses and CPU differ in what they show, not in how.
"""

from collections.abc import Callable

import polars as pl
from matplotlib.figure import Figure

from analysis.charts.bars import draw_bars
from analysis.charts.canvas import slide, style
from analysis.charts.curves import draw_curves
from analysis.charts.measure import Measure
from analysis.rows import along, differing, representative, rows, varied
from analysis.wording import setting, trials
from clients.log import Log

NAME_ROOM = 0.2  # of the slide's width, for the modes' names beside bars


def compare(
    log: Log, summary: pl.DataFrame, measure: Measure, headline: Callable[[pl.DataFrame], str]
) -> Figure | None:
    """Draw the measure; None when nothing of it was measured."""
    measured = rows(log, summary).filter(pl.col(measure.column).is_not_null())
    if measured.is_empty():
        return None
    with style():
        return _bars(measured, measure, headline(measured))


def _bars(measured: pl.DataFrame, measure: Measure, title: str) -> Figure:
    name = varied(measured)
    note = "Line: 95 % interval over runs." if measured["trials"].max() != 1 else ""
    if measure.theory and measured[measure.theory].count():
        note = f"Diamond: theory. {note}" if name is None else f"Dashed: theory. {note}"
    if name is not None:
        return _sweep(along(measured, name), measure, name, title, note)
    row = measured.row(0, named=True)
    subtitle = f"{setting(row, without=differing(measured))}; {trials(measured)}"
    figure, axes = slide(title, subtitle, note, left=NAME_ROOM)
    draw_bars(axes, measured, measure)
    return figure


def _sweep(line: pl.DataFrame, measure: Measure, name: str, title: str, note: str) -> Figure:
    row = representative(line).row(0, named=True)
    subtitle = f"{setting(row, without=name)}; {trials(line)}"
    if line["void"].any():
        note = f"A hollow dot is VOID: it has no good run. {note}"
    figure, axes = slide(title, subtitle, note, left=0.1, axis=measure.axis)
    draw_curves(axes, line, measure, name)
    return figure
