"""The summary as charts want it: with void runs counted, and a sweep told from a single setting."""

import polars as pl

from analysis.runs import KEYS, mode_order, with_void
from analysis.summary import SETTINGS
from analysis.wording import VARIABLES
from clients.log import Log


def rows(log: Log, summary: pl.DataFrame) -> pl.DataFrame:
    """Return the summary of this log with setting, runs, void_runs, and void: no good run."""
    counted = with_void(log.runs).group_by(KEYS).agg(runs=pl.len(), void_runs=pl.col("void").sum())
    counted = counted.sort("setting", mode_order()).drop("mode")
    void = pl.col("void_runs") == pl.col("runs")
    return pl.concat([counted, summary], how="horizontal").with_columns(void=void)


def varied(summary: pl.DataFrame) -> str | None:
    """Return the setting that takes most values; None when there is a single setting."""
    counts = {name: summary[name].n_unique() for name in VARIABLES}
    name = max(counts, key=lambda name: counts[name])
    return name if counts[name] > 1 else None


def representative(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each mode at one point of a sweep: where most modes are, near its middle."""
    name = varied(rows)
    if name is None:
        return rows.unique("mode", keep="first", maintain_order=True)
    points = rows.group_by(SETTINGS, maintain_order=True).agg(modes=pl.col("mode").n_unique())
    points = points.sort(name, maintain_order=True).with_row_index("place")
    from_middle = (pl.col("place").cast(pl.Int64) - points.height // 2).abs()
    middle = points.sort(-pl.col("modes").cast(pl.Int64), from_middle, maintain_order=True).head(1)
    there = rows.join(middle, on=SETTINGS, how="semi", maintain_order="left")
    return _in_order(there.unique("mode", keep="first", maintain_order=True))


def along(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows that differ from the representative ones in `name` alone, sorted by it."""
    middle = representative(rows).row(0, named=True)
    others = [pl.col(other) == middle[other] for other in SETTINGS if other != name]
    return rows.filter(*others).sort(name, maintain_order=True)


def points(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Split the rows by what was set; modes in their order, wherever the scenario listed them."""
    return [_in_order(of_point) for of_point in rows.partition_by(SETTINGS, maintain_order=True)]


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(mode_order(), maintain_order=True)
