"""Put what faults cost into a table of words, and into a sentence. No figure is computed here."""

from typing import Any

import polars as pl

from analysis.faults import KINDS, costs
from analysis.modes import MODES
from analysis.rows import differing
from analysis.runs import with_void
from analysis.wording import NBSP, apart, duration, figure, plain
from clients.log import Log

HEADS = (
    "lost",
    "twice",
    "out of order",
    "caught up",
    "current again after",
    "longest",
    "requests",
)
READERS = {False: "with a cursor", True: "without"}


def faults_table(log: Log) -> dict[str, Any] | None:
    """Return the table of a log's faults, a group for each setting and kind; None without any."""
    rows = costs(log)
    if rows.is_empty():
        return None
    where = _settings(log)
    groups = [part.to_dicts() for part in rows.partition_by("setting", "kind")]
    return {
        "heads": HEADS,
        "groups": [
            {
                "kind": "; ".join(filter(None, (kind_of(group[0]), where[group[0]["setting"]]))),
                "rows": [_line(row) for row in group],
            }
            for group in groups
        ],
        "told": told(log),
        "held": held(log),
    }


def _settings(log: Log) -> dict[int, str]:
    """Say of each setting what tells it from the others; nothing where there is but one."""
    names = differing(log.runs)
    of_each = log.runs.unique("setting", keep="first", maintain_order=True)
    return {row["setting"]: apart(row, names) for row in of_each.iter_rows(named=True)}


def kind_of(row: dict[str, Any]) -> str:
    """Name a kind of fault, how often it was tried and how long it lasted."""
    name = KINDS.get(row["kind"], str(row["kind"]))
    if row["lasts_ms"] is None:
        return name
    lasts = f" for {duration(row['lasts_ms'])}" if row["lasts_ms"] >= 50 else ""
    return f"{name}{lasts}, {often(row['times'])}"


def often(times: int) -> str:
    """Say how often: `once`, `6 times`."""
    return "once" if times == 1 else f"{plain(times)} times"


def told(log: Log) -> str:
    """Say how often readers with a cursor were told of a gap."""
    gaps = int(log.runs["gaps"].sum())
    return f"Readers with a cursor were told of {plain(gaps)} gap{'s' * (gaps != 1)}"


def held(log: Log) -> str:
    """Say what the server's process held at the first fault and at the last; nothing if unknown."""
    assert log.beside is not None
    known = log.beside.faults.drop_nulls("server_rss_bytes").sort("began_ns")
    if known.is_empty():
        return ""
    first, last = (
        f"{figure(known['server_rss_bytes'][place] / 2**20)} MiB and"
        f" {known['server_files'][place]} open files"
        for place in (0, -1)
    )
    return f"The server's process held {first} at the first fault, and {last} at the last"


def faults_answer(log: Log) -> str | None:
    """Say what was lost with a cursor and without, and how soon readers were current again."""
    rows = costs(log)
    if rows.is_empty():
        return None
    there = rows.filter(pl.col("lasts_ms").is_not_null())
    count = there.group_by("setting", "kind").agg(pl.max("times"))  # a void run has not all modes
    faults = plain(int(count["times"].sum()))
    with_cursor, without = (rows.filter(naive=naive) for naive in (False, True))
    wrong = wrong_with_cursor(log)
    kept = "none" if wrong == 0 else plain(wrong)
    longest = duration(_longest(with_cursor))
    return (
        f"Of {faults} faults, readers with a cursor had {kept} of their messages lost, doubled or"
        f" out of order, and were current again within {longest}; readers without one lost"
        f" {_lost(without)}"
    )


def wrong_with_cursor(log: Log) -> int:
    """Count the messages that readers with a cursor lost, had twice or out of order.

    As it was counted while they read: what no reader of any mode had is lost too.
    """
    wrong = _with_faults(log).select(pl.sum("lost", "duplicates", "out_of_order"))
    return int(wrong.sum_horizontal()[0])


def lost_with_cursor(log: Log, setting: int) -> int:
    """Count those that were lost at one setting."""
    return int(_with_faults(log).filter(setting=setting)["lost"].sum())


def _with_faults(log: Log) -> pl.DataFrame:
    return with_void(log.runs).filter("averaged", pl.col("faults_per_s") > 0)


def _longest(rows: pl.DataFrame) -> float | None:
    longest = rows["recovery_max_ms"].max()
    return None if longest is None else float(str(longest))


def _lost(without: pl.DataFrame) -> str:
    lost = dict(without.group_by("mode").agg(pl.sum("lost")).iter_rows())
    parts = [f"{plain(lost[mode])}{NBSP}({MODES[mode].name})" for mode in MODES if mode in lost]
    return ", ".join(parts)


def _line(row: dict[str, Any]) -> dict[str, Any]:
    never = f", {plain(row['never'])} never" if row["never"] else ""
    cells = [
        plain(row["lost"]),
        plain(row["duplicates"]),
        plain(row["out_of_order"]),
        plain(row["caught_up"]),
        duration(row["recovery_p50_ms"]),
        f"{duration(row['recovery_max_ms'])}{never}",
        figure(row["requests"], 2),
    ]
    wrong = row["lost"] + row["duplicates"] + row["out_of_order"] > 0
    return {"mode": row["mode"], "reader": READERS[row["naive"]], "cells": cells, "wrong": wrong}
