"""Say in a sentence what each figure shows. Text only, made from rows of the summary.

The sentences are the charts' titles and the report's headline, so that they cannot disagree.
"""

from collections.abc import Iterable

import polars as pl

from analysis.crossing import in_words
from analysis.modes import MODES
from analysis.rows import differing, representative, varied, with_bytes
from analysis.scene import Scene
from analysis.wording import KINDS, PHRASES, apart, duration, measured, percent, plain, span, times

SAME = 1.25  # closer than this, two figures are called the same
NO_GOOD, NOT_KNOWN = "no run is good", "not measured"


def latency(rows: pl.DataFrame) -> str:
    """Compare the median latency of the slowest and the fastest mode."""
    p50 = _values(rows, "latency_p50_ms")
    if not p50:
        return f"Latency: {NO_GOOD}" if _void(rows) else "No message was delivered in the window"
    at = _at(rows)
    fast, slow = min(p50, key=lambda mode: p50[mode]), max(p50, key=lambda mode: p50[mode])
    if p50[slow] < SAME * p50[fast]:
        return f"{at}{_modes(p50)}: half of the messages arrive within {duration(p50[slow])}"
    peers = [mode for mode in p50 if mode != slow and p50[mode] < 2 * p50[fast]]
    verb = "deliver" if len(peers) > 1 else "delivers"
    slowest = max(p50[mode] for mode in peers)
    return (
        f"{at}{_modes(peers)} {verb} in {duration(slowest)} what {MODES[slow].name} delivers"
        f" in {duration(p50[slow])}"
    )


def requests(rows: pl.DataFrame) -> str:
    """Give each mode's requests for a message, or where two modes change places."""
    return in_words(rows, "requests_per_delivery", "needs fewer requests than") or _each(
        rows, "requests_per_delivery", "Requests for each message delivered"
    )


def empty(rows: pl.DataFrame) -> str:
    """Give each mode's share of empty responses."""
    share = _values(rows, "empty_share")
    if not share and _void(rows):
        return f"Empty responses: {NO_GOOD}"
    if not share:
        return "No response was counted in the window"
    most = max(share, key=lambda mode: share[mode])
    if share[most] == 0:
        return "No response was empty"
    others = [
        f"{percent(share[mode]) if share[mode] else 'none'} of {MODES[mode].name}'s"
        for mode in share
        if mode != most
    ]
    lead = f"{percent(share[most])} of {MODES[most].name}'s responses bring nothing"
    return _at(rows) + "; ".join([lead, ", ".join(others)] if others else [lead])


def total_bytes(rows: pl.DataFrame) -> str:
    """Give what a message of the payload's size costs on the wire."""
    rows = with_bytes(rows)
    crossing = in_words(rows, "total", "needs fewer bytes than")
    sizes = rows["payload_bytes"].unique()
    text = f"{plain(sizes[0])} bytes of text cost" if len(sizes) == 1 else "a text costs"
    return crossing or _each(rows, "total", f"What {text} in bytes on the wire")


def cpu(rows: pl.DataFrame) -> str:
    """Compare server time for a delivery, or say where two modes change places."""
    column = "server_cpu_us_per_delivery"
    return in_words(rows, column, "costs the server less than") or _each(
        rows, column, "Server time for each delivery, in µs"
    )


def mean_latency(rows: pl.DataFrame) -> str:
    """Say between which values each mode's mean latency lies over the settings."""
    good = rows.filter(~pl.col("void")).drop_nulls("latency_mean_ms")
    parts = []
    for mode in MODES:
        late = good.filter(pl.col("mode") == mode)["latency_mean_ms"].sort()
        if late.len():
            parts.append(f"{MODES[mode].name} {span(late, duration)}")
    nothing = NO_GOOD if rows["void"].all() else "no message was delivered in the window"
    return f"Mean latency: {', '.join(parts) or nothing}"


def memory(rows: pl.DataFrame) -> str:
    """Give what a client takes of the server's memory in each mode."""
    return _each(rows, "server_kib_per_client", "Server memory for each client, in KiB")


def tradeoff(rows: pl.DataFrame) -> str:
    """Say what the shortest interval still costs in latency against the mode that waits."""
    good = rows.filter(~pl.col("void")).drop_nulls("latency_mean_ms")
    short = good.filter(pl.col("mode") == "short").sort("interval_s")
    others = good.filter(pl.col("mode") != "short")
    if short.is_empty() or others.is_empty():
        return "Asking more often buys latency with requests"
    quick = short.row(0, named=True)
    best = others.sort("latency_mean_ms").row(0, named=True)
    ratio = quick["latency_mean_ms"] / best["latency_mean_ms"]
    return (
        f"Even asking every {plain(quick['interval_s'])} s, short polling is {times(ratio)}"
        f" as slow as {MODES[best['mode']].name}"
    )


def _values(rows: pl.DataFrame, column: str) -> dict[str, float]:
    """Return the column by mode, of one setting; rows without a good run do not speak."""
    good = representative(rows).filter(~pl.col("void")).drop_nulls(column)
    return dict(good.select("mode", column).iter_rows())


def _modes(modes: Iterable[str]) -> str:
    names = [MODES[mode].name for mode in modes]
    text = " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))
    return text[0].upper() + text[1:]


def _each(rows: pl.DataFrame, column: str, lead: str) -> str:
    name, good = varied(rows), rows.filter(~pl.col("void")).drop_nulls(column)
    if name is not None and good["mode"].n_unique() == 1:
        return _ends(good.sort(name), column, name, lead)
    # Where kinds differ each kind gives its values, of a sweep the modes at one setting do.
    shown = representative(rows) if varied(rows) else rows
    kinds = [name for name in differing(shown) if name in KINDS]
    values: dict[str, list[str]] = {}
    for row in shown.filter(~pl.col("void")).drop_nulls(column).iter_rows(named=True):
        name = apart(row, kinds) or MODES[row["mode"]].name
        values.setdefault(name, []).append(measured(row[column]))
    parts = [f"{name} {' and '.join(figures)}" for name, figures in values.items()]
    unknown = shown.filter(~pl.col("void")).group_by("mode", maintain_order=True).agg(column)
    for mode, figures in unknown.iter_rows():
        if parts and all(figure is None for figure in figures):
            parts.append(f"{MODES[mode].name} unknown")
    at = _at(rows).removesuffix(": ") if varied(rows) else ""
    begun = f"{at}, {lead[0].lower()}{lead[1:]}" if at else lead
    return f"{begun}: {', '.join(parts) or (NO_GOOD if shown['void'].all() else NOT_KNOWN)}"


def _void(rows: pl.DataFrame) -> bool:
    """Tell whether none of the rows that a sentence is of has a good run."""
    return bool(representative(rows)["void"].all())


def _ends(line: pl.DataFrame, column: str, name: str, lead: str) -> str:
    """Give the ends of a mode that was measured alone."""
    ends = [f"{measured(row[column])} at {PHRASES[name].format(plain(row[name]))}"
            for row in (line.row(0, named=True), line.row(-1, named=True))]  # fmt: skip
    return f"{lead} by {MODES[line['mode'][0]].name}: {', '.join(ends)}"


def _at(rows: pl.DataFrame) -> str:
    """Say which of several settings a sentence speaks of."""
    name, there = varied(rows), representative(rows).row(0, named=True)
    if name is not None:
        return f"At {PHRASES[name].format(plain(there[name]))}: "
    differs = apart(there, differing(rows))
    return f"With {differs}: " if differs else ""


def timeline(scene: Scene, rows: pl.DataFrame) -> str:
    """Say how late one client hears the same messages in each mode that has a good run."""
    good = set(rows.filter(~pl.col("void"))["mode"])
    waits_ms = {
        lane.mode: 1e3
        * sum(each.received_s - each.published_s for each in lane.arrivals)
        / len(lane.arrivals)
        for lane in scene.lanes
        if lane.arrivals and lane.mode in good
    }
    count = max(len(lane.arrivals) for lane in scene.lanes)
    late: dict[str, list[str]] = {}
    for mode, wait_ms in waits_ms.items():
        late.setdefault(duration(wait_ms), []).append(MODES[mode].name)
    parts = [f"{wait} late by {' and '.join(names)}" for wait, names in late.items()]
    return f"The same {count} messages: {', '.join(parts) or 'no run of them is good'}"
