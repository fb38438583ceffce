"""Draw one report over a folder of experiments: it and the maps over all of them are written here.

The experiments' own reports are left as they are.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import polars as pl
from matplotlib.figure import Figure

from analysis.charts.break_even import DISTANCE, INTERVAL, draw_map
from analysis.collection import Collection, Member
from analysis.collection_report import Part, chapter, report
from analysis.drawing import REPORT, Drawn, drawn, picture_of
from analysis.joined import join
from analysis.pages import Picture
from analysis.rows import rows
from analysis.summary import summarise
from clients.log import Log, LogError

LEAST_PLACES = 5  # measured on a map, from which on it is worth a picture
MAPS = {"interval_s": (INTERVAL, "break_even"), "rtt_ms": (DISTANCE, "break_even_distance")}


def write_collection(
    folder: Path, collection: Collection, made: Mapping[str, Drawn] | None = None
) -> tuple[Path, list[Part]]:
    """Write report.html; return its path, and the parts that have a chapter.

    made: what was just drawn of some of the experiments, by name, and is not drawn again
    """
    with_runs = [member for member in collection.members if member.log.runs.height]
    parts = [_part(member, (made or {}).get(member.name)) for member in with_runs]
    logs = [part.log for part in parts]
    page = report(collection, parts, list(_maps(join(logs))), list(_ledger(parts)))
    try:
        (folder / REPORT).write_text(page, encoding="utf-8")
    except OSError as error:
        raise LogError(f"cannot write to {folder}: {error.strerror or error}") from None
    return folder / REPORT, parts


def _part(member: Member, made: Drawn | None) -> Part:
    charts = chapter(member.log).charts
    if made is not None:
        by_name = {picture.name: picture for picture in made.pictures}
        pictures = tuple(by_name[name] for name in charts if name in by_name)
        return Part(member.name, member.log, made.rows, pictures)
    summary = summarise(member.log)
    figures = drawn(charts, member.log, summary)
    pictures = tuple(picture_of(name, figure) for name, figure in figures)
    return Part(member.name, member.log, rows(member.log, summary), pictures)


def _ledger(parts: list[Part]) -> Iterator[Picture]:
    """Yield the ledger of the experiment that kept most modes' bytes, and the fewest of them."""
    best = min(parts, key=lambda part: _kept(part.log), default=None)
    for name, figure in drawn(["ledger"], best.log, summarise(best.log)) if best else ():
        yield picture_of(name, figure)


def _kept(log: Log) -> tuple[int, int]:
    return -len(log.wire), sum(len(each.up) + len(each.down) for each in log.wire.values())


def _maps(joined: Log | None) -> Iterator[Picture]:
    """Yield the maps on which several settings were measured, each through its usual setting."""
    if joined is None:
        return
    short = joined.runs.filter(pl.col("mode") == "short", pl.col("valid"))
    for same, up in (("rtt_ms", "interval_s"), ("interval_s", "rtt_ms")):
        for row in _places(short, same, up):
            upward, kind = MAPS[up]
            figure = draw_map(joined, row, upward)
            if isinstance(figure, Figure):
                yield picture_of(f"{kind}-{row[same]:g}", figure, kind)


def _places(short: pl.DataFrame, same: str, up: str) -> Iterator[dict[str, float]]:
    """Yield a row for each value of `same` at which many places of the map were measured."""
    places = short.group_by(same).agg(places=pl.struct("rate_per_s", up).n_unique())
    for value in places.filter(pl.col("places") >= LEAST_PLACES).sort(same)[same]:
        there = short.filter(pl.col(same) == value)
        usual = pl.col("interval_s") == pl.col("interval_s").mode().min()
        yield there.filter(usual).row(0, named=True)
