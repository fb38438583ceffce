"""The summary as charts want it: with void runs counted, and a sweep told from a single setting."""

import polars as pl

from analysis.break_even import (
    OPENING_BYTES,
    SEGMENT_BYTES,
    SEGMENTS_PER_POLL,
    SEGMENTS_PER_PUSH,
    SEGMENTS_TO_CLOSE,
)
from analysis.modes import title
from analysis.runs import KEYS, is_poll, mode_order, with_void
from analysis.summary import CONDITIONS, SETTINGS
from analysis.wording import KINDS, VARIABLES, apart
from clients.log import Log

ALL_SETTINGS = (*SETTINGS, *CONDITIONS)


def rows(log: Log, summary: pl.DataFrame) -> pl.DataFrame:
    """Return the summary of this log with setting, runs, void_runs, and void: no good run.

    And crowd_clients: so many of the clients are only counted, and no figure of a client is theirs.
    """
    counted = (
        with_void(log.runs)
        .group_by(KEYS)
        .agg(pl.col("crowd_clients").max(), runs=pl.len(), void_runs=pl.col("void").sum())
    )
    counted = counted.sort("setting", mode_order()).drop("mode")
    void = pl.col("void_runs") == pl.col("runs")
    return pl.concat([counted, summary], how="horizontal").with_columns(void=void)


def with_bytes(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `total`, a message's bytes both ways, and `link`: those with TCP/IP's own headers.

    And the ends of their intervals. What TCP/IP takes is reckoned, and adds no doubt of its own.
    """
    total = pl.col("bytes_up_per_delivery") + pl.col("bytes_down_per_delivery")
    connecting = OPENING_BYTES + SEGMENTS_TO_CLOSE * SEGMENT_BYTES
    anew = pl.when("keepalive").then(0).otherwise(connecting)
    of_polls = (SEGMENTS_PER_POLL * SEGMENT_BYTES + anew) * pl.col("requests_per_delivery")
    pushed = pl.lit(SEGMENTS_PER_PUSH * SEGMENT_BYTES)
    around = pl.when(is_poll()).then(of_polls).otherwise(pushed)
    ends = {end: pl.col(f"bytes_per_delivery_{end}") for end in ("low", "high")}
    totals = {f"total_{end}": value for end, value in ends.items()}
    links = {f"link_{end}": value + around for end, value in ends.items()}
    return rows.with_columns(total=total, link=total + around, **totals, **links)


def varied(summary: pl.DataFrame) -> str | None:
    """Return the setting to draw along: the number that takes most values.

    None when there is a single setting, and when kinds differ, which have no place on an axis.
    """
    if any(name in KINDS for name in differing(summary)):
        return None
    counts = {name: summary[name].n_unique() for name in VARIABLES}
    name = max(counts, key=lambda name: counts[name])
    return name if counts[name] > 1 else None


def differing(summary: pl.DataFrame) -> list[str]:
    """Return every setting that takes more than one value, numbers first."""
    return [name for name in ALL_SETTINGS if summary[name].n_unique() > 1]


def labels(rows: pl.DataFrame) -> list[str]:
    """Name each row by its mode, and by what tells it from the other rows in lines below."""
    names = differing(rows)
    return [
        "\n".join(filter(None, (title(row["mode"]), *apart(row, names).split(", "))))
        for row in rows.iter_rows(named=True)
    ]


def representative(rows: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each mode at one point: where most modes are, near a sweep's middle.

    A point without a good run is taken only where there is no other.
    """
    name = varied(rows)
    points = rows.group_by(ALL_SETTINGS, maintain_order=True).agg(
        modes=pl.col("mode").n_unique(), void=pl.col("void").all()
    )
    if name is not None:
        points = points.sort(name, maintain_order=True)
    points = points.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
    wanted = 0 if name is None else points.height // 2
    from_wanted = (pl.col("place") - wanted).abs()
    most = -pl.col("modes").cast(pl.Int64)
    middle = points.sort("void", most, from_wanted, maintain_order=True).head(1)
    there = rows.join(middle, on=ALL_SETTINGS, how="semi", maintain_order="left")
    return _in_order(there.unique("mode", keep="first", maintain_order=True))


def along(rows: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the rows that differ from the representative ones in `name` alone, sorted by it."""
    if rows.is_empty():  # such as the good ones of an experiment that has none
        return rows
    middle = representative(rows).row(0, named=True)
    others = [pl.col(other) == middle[other] for other in ALL_SETTINGS if other != name]
    return rows.filter(*others).sort(name, maintain_order=True)


def points(rows: pl.DataFrame) -> list[pl.DataFrame]:
    """Split the rows by what was set; modes in their order, wherever the scenario listed them."""
    parts = rows.partition_by(ALL_SETTINGS, maintain_order=True)
    return [_in_order(of_point) for of_point in parts]


def _in_order(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.sort(mode_order(), maintain_order=True)
