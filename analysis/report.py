"""Write the report: one HTML page that needs nothing beside it. No files are made here."""

import base64
from collections.abc import Sequence
from typing import Any

import msgspec
import polars as pl
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis import headlines
from analysis.comparison_table import compare_with_theory
from analysis.modes import MODES
from analysis.rows import points, representative, rows, varied
from analysis.runs import with_void
from analysis.unit_costs import unit_costs
from analysis.wording import NOTHING, duration, figure, percent, setting
from clients.log import DELIVERIES, EXPERIMENT, REQUESTS, RUNS, Log


class Picture(msgspec.Struct, frozen=True):
    """A chart as it stands in the report."""

    name: str
    title: str
    question: str
    text: str
    svg: bytes

    @property
    def uri(self) -> Markup:
        """The picture itself as a link's target."""
        return Markup("data:image/svg+xml;base64," + base64.b64encode(self.svg).decode())  # noqa: S704


def report(log: Log, summary: pl.DataFrame, pictures: Sequence[Picture]) -> str:
    """Return the page."""
    page = Environment(
        loader=PackageLoader("analysis", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("report.html.j2")
    every = rows(log, summary)
    runs = with_void(log.runs)
    return page.render(
        experiment=log.experiment,
        headlines=_headlines(every),
        tables=[_table(point) for point in points(every)],
        middle=setting(representative(every).row(0, named=True)),
        pictures=pictures,
        runs=runs.height,
        void_runs=runs.filter("void").sort("run").to_dicts(),
        single=runs["trial"].n_unique() < 2,
        checks=_checks(log.runs),
        costs=_costs(log, every),
        modes=MODES,
        csv=("summary.csv", RUNS, REQUESTS, DELIVERIES, EXPERIMENT),
    )


def _headlines(every: pl.DataFrame) -> list[str]:
    sentences = [headlines.latency, headlines.requests, headlines.total_bytes]
    if every["server_cpu_us_per_delivery"].drop_nulls().len():
        sentences.append(headlines.cpu)
    if varied(every) == "interval_s":
        sentences.append(headlines.tradeoff)
    return [say(every) for say in sentences]


def _table(point: pl.DataFrame) -> dict[str, Any]:
    return {
        "caption": setting(point.row(0, named=True)),
        "columns": point.select("mode", "void", "void_runs", "runs").to_dicts(),
        "lines": compare_with_theory(point),
    }


def _checks(runs: pl.DataFrame) -> list[tuple[str, str]]:
    """Return what the checks looked at, with the worst run of all."""
    window_s = (pl.col("window_end_ns") - pl.col("window_start_ns")) / 1e9
    worst = runs.select(
        pl.col("publisher_late_p99_ms", "client_lag_p99_ms", "client_cpu_share").max(),
        pl.col("lost", "duplicates", "out_of_order", "publish_failures").sum(),
        server=(pl.col("server_cpu_s") / window_s).max(),
    ).row(0, named=True)
    return [
        ("publisher late, p99", duration(worst["publisher_late_p99_ms"])),
        ("client's event loop late, p99", duration(worst["client_lag_p99_ms"])),
        ("a core's time that the clients took", percent(worst["client_cpu_share"])),
        ("a core's time that the server took", percent(worst["server"])),
        ("messages lost, twice, out of order, in all runs",
         f"{worst['lost']}, {worst['duplicates']}, {worst['out_of_order']}"),
        ("messages that could not be published", str(worst["publish_failures"])),
    ]  # fmt: skip


def _costs(log: Log, every: pl.DataFrame) -> list[dict[str, str]]:
    """Return the unit costs of each row, averaged over its runs as the summary does."""
    runs = with_void(log.runs).filter("averaged").join(unit_costs(log), on="run")
    costs = ("transit_s", "per_reader_s", "round_trip_s", "rearm_s")
    means = runs.group_by("setting", "mode").agg(pl.col(costs).mean())
    joined = every.select("setting", "mode").join(means, on=["setting", "mode"], how="left")
    return [
        {"setting": row["setting"], "mode": row["mode"]}
        | {name: _milliseconds(row[name]) for name in costs}
        for row in joined.iter_rows(named=True)
    ]


def _milliseconds(cost_s: float | None) -> str:
    return NOTHING if cost_s is None else f"{figure(cost_s * 1e3)} ms"
