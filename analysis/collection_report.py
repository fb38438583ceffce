"""Write one report over several experiments: one HTML page that needs nothing beside it.

No files are made here, and nothing is drawn.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import polars as pl

from analysis import account, figures, leap
from analysis.agreement import NEAR_PERCENT, agreement_of
from analysis.answers import answer
from analysis.chapters import CHAPTERS, Chapter
from analysis.checked import overview
from analysis.collection import Collection
from analysis.comparison_table import LINES, OFF_PERCENT, theory_rows
from analysis.faults_words import faults_table
from analysis.machine import absent, environments, line_added
from analysis.modes import concerning
from analysis.pages import Picture, environment
from analysis.report import FILES
from analysis.rows import differing
from analysis.runs import mode_order
from analysis.verdicts import situations, verdicts
from analysis.wins import MEASURES, Contest, contests
from analysis.wording import apart, plain
from clients.log import Log


class Part(msgspec.Struct, frozen=True):
    """An experiment that has a chapter: its folder's name, log, rows and the charts it shows."""

    name: str
    log: Log
    rows: pl.DataFrame
    pictures: tuple[Picture, ...]


def chapter(log: Log) -> Chapter:
    """Return what the report shows of an experiment."""
    return CHAPTERS.get(log.experiment.scenario, Chapter())


class Shown(msgspec.Struct, frozen=True):
    """A chart in its place; alike: the number of the first of its kind, which has the notes."""

    number: int
    picture: Picture
    alike: int | None


def report(
    collection: Collection,
    parts: Sequence[Part],
    maps: Sequence[Picture],
    ledger: Sequence[Picture],
) -> str:
    """Return the page; maps are drawn over the runs of all, the ledger is that of one delivery."""
    logs = [part.log for part in parts]
    runs = account.runs_of(logs)
    groups = [*(part.pictures for part in parts), maps, ledger]
    *of_parts, shown_maps, shown_ledger = _numbered(groups)
    chapters = [_chapter(part, shown) for part, shown in zip(parts, of_parts, strict=True)]
    every = [each for part in parts for each in _contests(part)]
    page = environment().get_template("collection.html.j2")
    return page.render(
        facts=_facts(runs, logs),
        missing=list(account.missing(collection)),
        chapters=chapters,
        leap=_leap(collection),
        verdicts=list(verdicts(every)) if every else [],
        measures=MEASURES,
        situations=situations(every),
        maps=shown_maps,
        ledger=shown_ledger,
        theory=list(_theory(parts)),
        near=NEAR_PERCENT,
        off=OFF_PERCENT,
        checks=overview(runs) if runs.height else [],
        void_runs=list(filter(None, (account.void_runs(part.name, part.log) for part in parts))),
        line_added=line_added(logs) if logs else None,
        absent=absent(logs),
        environments=environments([(part.name, part.log.experiment) for part in parts]),
        files=("summary.csv", *FILES),
    )


def _contests(part: Part) -> Iterator[Contest]:
    return contests(part.log.experiment.scenario, part.rows)


def _numbered(groups: Sequence[Sequence[Picture]]) -> Iterator[list[Shown]]:
    """Yield each group's charts with their numbers, which run through the page."""
    number, first = 0, dict[str, int]()
    for group in groups:
        found = []
        for picture in group:
            number += 1
            found.append(Shown(number, picture, first.get(picture.question)))
            first.setdefault(picture.question, number)
        yield found


def _facts(runs: pl.DataFrame, logs: Sequence[Log]) -> dict[str, Any]:
    """Return what the first paragraph is made of."""
    if runs.is_empty():
        return {"runs": 0, "fresh": True}
    first, last, minutes = account.when(logs)
    sums = {name: plain(int(runs[name].sum())) for name in ("deliveries", "requests")}
    return sums | {
        "runs": runs.height,
        "void": int(runs["void"].sum()),
        "experiments": len(logs),
        "when": account.moments(first, last),
        "minutes": plain(round(minutes)),
        "mib": f"{runs.select(pl.sum('bytes_up') + pl.sum('bytes_down')).item() / 2**20:,.0f}",
        "fresh": all(log.experiment.url is None for log in logs),
    }


def _chapter(part: Part, shown: list[Shown]) -> dict[str, Any]:
    runs = account.runs_of([part.log])
    columns = chapter(part.log).columns
    return {
        "name": part.name,
        "experiment": part.log.experiment,
        "answer": answer(part.log, part.rows),
        "runs": runs.height,
        "void": int(runs["void"].sum()),
        "settings": account.settings(part.rows, part.log),
        "figures": shown,
        "heads": figures.heads(columns),
        "groups": figures.groups(part.rows, columns),
        "faults": faults_table(part.log) if chapter(part.log).faults else None,
        "theory": _theory_table(part) if chapter(part.log).theory else None,
    }


def _theory_table(part: Part) -> dict[str, Any]:
    """Return every figure that theory predicts, beside it: by rate, then by mode."""
    names = differing(part.rows)
    every = part.rows.sort(*names[:1], mode_order(), *names[1:], maintain_order=True)
    pairs = zip(every.to_dicts(), theory_rows(every, NEAR_PERCENT), strict=True)
    return {
        "heads": [line.name for line in LINES if line.theory],
        "rows": [
            {
                "mode": row["mode"],
                "void": row["void"],
                "setting": apart(row, concerning(row["mode"], names)),
                "cells": cells,
            }
            for row, cells in pairs
        ],
    }


def _leap(collection: Collection) -> dict[str, Any] | None:
    return None if collection.leap is None else leap.chapter(*collection.leap)


def _theory(parts: Sequence[Part]) -> Iterator[dict[str, Any]]:
    for part in parts:
        agreement = agreement_of(part.rows)
        if agreement is not None:
            yield {"name": part.name} | agreement
