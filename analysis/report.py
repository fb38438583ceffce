"""Write the report: one HTML page that needs nothing beside it. No files are made here."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from analysis import headlines
from analysis.answers import answer
from analysis.checked import CHECKS, COLUMNS, Verdict, hold, overview, records
from analysis.comparison_table import LINES, OFF_PERCENT, compare_with_theory, theory_rows
from analysis.comparisons import sentences
from analysis.faults_words import faults_table
from analysis.figures import groups, heads
from analysis.machine import about, absent, line_added
from analysis.pages import Picture, environment
from analysis.rows import differing, points, representative, rows, varied
from analysis.runs import KEYS, with_void
from analysis.unit_costs import unit_costs
from analysis.wording import NOTHING, apart, figure, holding, plain, setting
from clients.log import BESIDE, DELIVERIES, EXPERIMENT, REQUESTS, RUNS, Log, Settings

FILES = (RUNS, REQUESTS, DELIVERIES, EXPERIMENT)
OVERVIEW = (
    "latency_p50_ms",
    "latency_p99_ms",
    "requests_per_delivery",
    "empty_share",
    "bytes_up_per_delivery",
    "bytes_down_per_delivery",
    "server_cpu_us_per_delivery",
    "trials",
)


def report(log: Log, summary: pl.DataFrame, pictures: Sequence[Picture]) -> str:
    """Return the page."""
    every = rows(log, summary)
    runs = with_void(log.runs)
    names = differing(every)
    table = faults_table(log)
    told = {(row["setting"], row["mode"]): apart(row, names) for row in every.to_dicts()}
    return _render(
        log,
        contents=[
            ("summary", "Summary"),
            ("figures", "Figures"),
            *((picture.name, picture.question) for picture in pictures),
            *([("theory", "Theory beside measurement")] if table is None else []),
            ("checks", "Checks"),
            *LAST,
        ],
        runs=runs.height,
        void_runs=runs["void"].sum(),
        single=runs["trial"].n_unique() < 2,
        holding=holding(every),
        answer=answer(log, every),
        headlines=_headlines(every),
        comparisons=list(sentences(log, every)),
        several=bool(names),
        overview={"heads": heads(OVERVIEW), "groups": groups(every, OVERVIEW)} if names else None,
        tables=[_table(point) for point in points(every)],
        middle=setting(representative(every).row(0, named=True)),
        off_percent=OFF_PERCENT,
        pictures=pictures,
        theory=_theory(every, told) if table is None else None,
        costs=_costs(log, every, told),
        faults_table=table,
        checks=overview(log.runs),
        check_heads=[head for head, _ in COLUMNS],
        check_rows=_check_rows(runs, told),
        line_added=line_added([log]),
        files=("summary.csv", *FILES, *(BESIDE if log.beside is not None else ())),
    )


def empty_report(log: Log) -> str:
    """Return the page of an experiment of which no run has ended."""
    return _render(log, contents=LAST, runs=0, void_runs=0, files=FILES)


LAST = (
    ("limits", "What this does not show"),
    ("settings", "Settings"),
    ("environment", "Environment"),
    ("data", "Data"),
)
Told = dict[tuple[int, str], str]


def _render(log: Log, **parts: Any) -> str:
    page = environment().get_template("report.html.j2")
    experiment = log.experiment
    return page.render(
        experiment=experiment,
        faults=log.faults,
        settings=[_in_full(*each) for each in _with_crowds(log)],
        environment=about(experiment),
        absent=absent([log]),
        **({"answer": None, "line_added": None} | parts),
    )


def _with_crowds(log: Log) -> Iterator[tuple[Settings, int]]:
    """Yield each setting, and how many of its clients were only counted."""
    most = log.runs.group_by("setting").agg(pl.col("crowd_clients").max())
    crowds = dict(most.iter_rows())
    for place, settings in enumerate(log.experiment.settings):
        yield settings, crowds.get(place) or 0


def _in_full(settings: Settings, crowd_clients: int) -> str:
    row = {"mode": "", "crowd_clients": crowd_clients} | msgspec.structs.asdict(settings)
    lengths = f"window {plain(settings.duration_s)} s after {plain(settings.warmup_s)} s of warm-up"
    source = "" if settings.schedule == "periodic" else ", at random moments"
    return f"{setting(row)}{source}, {lengths}"


def _headlines(every: pl.DataFrame) -> list[str]:
    said = [headlines.latency, headlines.requests, headlines.total_bytes]
    if every["server_cpu_us_per_delivery"].drop_nulls().len():
        said.append(headlines.cpu)
    if varied(every) == "interval_s":
        said.append(headlines.tradeoff)
    return [say(every) for say in said]


def _table(point: pl.DataFrame) -> dict[str, Any]:
    return {
        "caption": setting(point.row(0, named=True)),
        "columns": point.select("mode", "void", "void_runs", "runs").to_dicts(),
        "lines": compare_with_theory(point),
    }


def _theory(every: pl.DataFrame, told: Told) -> dict[str, Any]:
    pairs = zip(every.to_dicts(), theory_rows(every), strict=True)
    return {
        "heads": [line.name for line in LINES if line.theory],
        "rows": [_lead(row, told) | {"cells": cells} for row, cells in pairs],
    }


def _lead(row: dict[str, Any], told: Told) -> dict[str, Any]:
    key = row["setting"], row["mode"]
    return {"mode": row["mode"], "setting": told[key], "void": row["void"]}


def _costs(log: Log, every: pl.DataFrame, told: Told) -> list[dict[str, str]]:
    """Return the unit costs of each row, averaged over its runs as the summary does."""
    runs = with_void(log.runs).filter("averaged").join(unit_costs(log), on="run")
    costs = ("transit_s", "per_reader_s", "round_trip_s", "rearm_s")
    means = runs.group_by(KEYS).agg(pl.col(costs).mean())
    joined = every.select(KEYS).join(means, on=KEYS, how="left", maintain_order="left")
    return [
        {"setting": told[row["setting"], row["mode"]], "mode": row["mode"]}
        | {name: _milliseconds(row[name]) for name in costs}
        for row in joined.iter_rows(named=True)
    ]


def _milliseconds(cost_s: float | None) -> str:
    return NOTHING if cost_s is None else f"{figure(cost_s * 1e3)} ms"


def _check_rows(runs: pl.DataFrame, told: Told) -> list[dict[str, Any]]:
    """Return each run with a cell for each column, and a verdict for each of its checks."""
    void = dict(runs.select("run", "void").iter_rows())
    found = []
    for run in records(runs):
        verdicts: dict[str, Verdict] = {check.name: hold(check, run) for check in CHECKS}
        found.append(
            {
                "run": run.run,
                "mode": run.mode,
                "setting": told[run.setting, run.mode],
                "trial": run.trial,
                "cells": [[verdicts[check.name] for check in checks] for _, checks in COLUMNS],
                "void": void[run.run],
                "because": run.void_because or "interrupted",
            }
        )
    return found
