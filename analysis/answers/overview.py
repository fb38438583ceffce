"""Answer what all modes were asked together: costs and gains, empty answers, theory. Text only."""

import polars as pl

from analysis.answers.phrases import by_mode, listed, of_100
from analysis.modes import MODES
from analysis.rows import representative
from analysis.summary import PREDICTED
from analysis.wording import NBSP, duration, measured, plain, signed_percent
from clients.log import Log

NEAR_PERCENT = 5  # what the scenario holds theory to
MOST_NAMED = 3
NAMES = {
    "latency_mean_ms": "mean latency",
    "latency_p99_ms": "p99",
    "requests_per_client_s": "requests",
    "empty_share": "empty share",
}


def quick(_: Log, rows: pl.DataFrame) -> str | None:
    """Give each mode's mean latency, and what it costs in requests and bytes."""
    here = representative(rows).drop_nulls("latency_mean_ms").to_dicts()
    parts = []
    for place, row in enumerate(here):
        unit = " and {} bytes" if place == 0 else " and {}"
        size = unit.format(measured(row["bytes_up_per_delivery"] + row["bytes_down_per_delivery"]))
        asked = measured(row["requests_per_delivery"]) + " requests" * (place == 0)
        late = duration(row["latency_mean_ms"])
        parts.append(f"{late} late by {MODES[row['mode']].name}, for {asked}{size}")
    return f"On average a message is {'; '.join(parts)}" if parts else None


def chat(_: Log, rows: pl.DataFrame) -> str | None:
    """Give the empty ones among a hundred answers to polls."""
    shares = by_mode(representative(rows), "empty_share")
    polls = [f"{of_100(shares[m])} by {MODES[m].name}" for m in ("short", "long") if m in shares]
    if not polls:
        return None
    pushed = "; a WebSocket is asked once, and then brings only messages" * ("ws" in shares)
    return f"Of 100 answers, {listed(polls)} bring nothing{pushed}"


def theory(_: Log, rows: pl.DataFrame) -> str | None:
    """Count the figures that are within 5 % of theory, and name the furthest of the others."""
    off = {
        (place, name): difference
        for place, row in enumerate(rows.to_dicts())
        for name in PREDICTED
        if (difference := row[f"{name}_theory_difference_percent"]) is not None
    }
    if not off:
        return None
    far = sorted((k for k in off if abs(off[k]) > NEAR_PERCENT), key=lambda k: -abs(off[k]))
    within = f"{len(off) - len(far)} of {len(off)} figures are within {NEAR_PERCENT}{NBSP}%"
    if not far:
        return f"All {len(off)} figures are within {NEAR_PERCENT}{NBSP}% of theory"
    named = [_named(rows.row(place, named=True), name) for place, name in far[:MOST_NAMED]]
    more = "the furthest is" if len(far) == 1 else "the furthest are"
    return f"{within} of theory; {more} {listed(named)}"


def _named(row: dict[str, float | str], name: str) -> str:
    """Name a figure and how far it is off: `short polling's p99 at 2 messages/s (+7.1 %)`."""
    mode, rate = str(row["mode"]), plain(float(row["rate_per_s"]))
    off = signed_percent(float(row[f"{name}_theory_difference_percent"]))
    return f"{MODES[mode].name}'s {NAMES[name]} at {rate}{NBSP}messages/s ({off})"
