"""Answer what all modes were asked together: costs and gains, empty answers, theory. Text only."""

import polars as pl

from analysis.agreement import NEAR_PERCENT, differences, within
from analysis.answers.phrases import by_mode, listed, of_100
from analysis.modes import MODES, POLLS
from analysis.rows import representative, with_bytes
from analysis.wording import NBSP, duration, measured
from clients.log import Log

MOST_NAMED = 3


def quick(_: Log, rows: pl.DataFrame) -> str | None:
    """Give each mode's mean latency, and what it costs in requests and bytes."""
    here = with_bytes(representative(rows)).drop_nulls("latency_mean_ms").to_dicts()
    parts = []
    units = " requests", " bytes"  # are named once
    for row in here:
        said = f"{duration(row['latency_mean_ms'])} late by {MODES[row['mode']].name}"
        if row["requests_per_delivery"] is not None and row["total"] is not None:
            asked, size = measured(row["requests_per_delivery"]), measured(row["total"])
            said += f", for {asked}{units[0]} and {size}{units[1]}"
            units = "", ""
        parts.append(said)
    return f"On average a message is {'; '.join(parts)}" if parts else None


def chat(_: Log, rows: pl.DataFrame) -> str | None:
    """Give the empty ones among a hundred answers to polls."""
    shares = by_mode(representative(rows), "empty_share")
    polls = [f"{of_100(shares[m])} by {MODES[m].name}" for m in POLLS if m in shares]
    if not polls:
        return None
    pushed = "; a WebSocket is asked once, and then brings only messages" * ("ws" in shares)
    return f"Of 100 answers, {listed(polls)} bring nothing{pushed}"


def theory(_: Log, rows: pl.DataFrame) -> str | None:
    """Count the figures that are within 5 % of theory, and name the furthest of the others."""
    every = differences(rows)
    if not every:
        return None
    near = within(every, NEAR_PERCENT)
    if near == len(every):
        return f"All {near} figures are within {NEAR_PERCENT}{NBSP}% of theory"
    far = every[: min(MOST_NAMED, len(every) - near)]
    named = f"; the furthest {'is' if len(far) == 1 else 'are'} {listed(e.text for e in far)}"
    return f"{near} of {len(every)} figures are within {NEAR_PERCENT}{NBSP}% of theory{named}"
