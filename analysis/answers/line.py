"""Answer what was asked about the line and about a stall: latency in transits. Text only."""

import polars as pl

from analysis.answers.phrases import Row, listed, of_mode
from analysis.faults_words import faults_answer
from analysis.modes import MODES
from analysis.rows import varied
from analysis.stalled import tails
from analysis.wording import duration, figure, plain, times
from clients.log import Log


def distance(_: Log, rows: pl.DataFrame) -> str | None:
    """Say by how many transits each mode's mean latency grows with each that is added."""
    if varied(rows) != "rtt_ms":
        return None
    settings = rows["rtt_ms"].unique().sort().to_list()
    near, far = settings[0], settings[-1]
    grown = {mode: _growth(of_mode(rows, mode, "rtt_ms"), near, far) for mode in MODES}
    parts = [f"{MODES[mode].name}'s by {figure(by, 2)}" for mode, by in grown.items() if by]
    if not parts:
        return None
    return (
        f"From {plain(near)} to {plain(far)} ms of round trip, mean latency grows with each transit"
        f" that is added: {listed(parts)}{_tail(of_mode(rows, 'long', 'rtt_ms'))}"
    )


def _growth(of_one: list[Row], near_ms: float, far_ms: float) -> float | None:
    """Return by how many transits the mean latency grows with each transit of the line."""
    if len(of_one) < 2 or (of_one[0]["rtt_ms"], of_one[-1]["rtt_ms"]) != (near_ms, far_ms):
        return None
    more_ms = float(of_one[-1]["latency_mean_ms"] - of_one[0]["latency_mean_ms"])
    return more_ms / (far_ms - near_ms) * 2


def _tail(long: list[Row]) -> str:
    if not long or not long[-1]["rtt_ms"]:
        return ""
    far = long[-1]
    p99 = figure(far["latency_p99_ms"] / far["rtt_ms"] * 2, 2)
    return f"; long polling's p99 at {plain(far['rtt_ms'])} ms is {p99} transits"


def rfc6202(_: Log, rows: pl.DataFrame) -> str | None:
    """Give long polling's average and its longest latency in transits, at each rate."""
    long = [row for row in of_mode(rows, "long", "rate_per_s") if row["rtt_ms"] > 0]
    if not long:
        return None
    average, longest = (
        [
            f"{figure(row[name] / row['rtt_ms'] * 2, 2)} at {plain(row['rate_per_s'])}"
            for row in long
        ]
        for name in ("latency_mean_ms", "latency_max_ms")
    )
    transit = duration(long[0]["rtt_ms"] / 2)
    return (
        f"Long polling's average is {listed(average)} messages/s, in transits of {transit}; its"
        f" longest {listed(longest)}"
    )


def faults(log: Log, _: pl.DataFrame) -> str | None:
    """Say what was lost with a cursor and without."""
    return faults_answer(log)


def stall(log: Log, rows: pl.DataFrame) -> str | None:
    """Give the p99 of the mode in which counting from the intended time differs most."""
    stalled = rows.filter(pl.col("stall_s") > 0)
    if stalled.is_empty():
        return None
    by_way = tails(log, stalled)
    mode = max(by_way, key=lambda mode: by_way[mode][0] / by_way[mode][1])
    intended, published = by_way[mode]
    others = [
        f"{MODES[other].name}'s is {duration(by_way[other][0])} and {duration(by_way[other][1])}"
        for other in by_way
        if other != mode
    ]
    more = f"; {listed(others)}" if others else ""
    return (
        f"After a stall of {plain(stalled['stall_s'][0])} s, {MODES[mode].name}'s p99 is"
        f" {duration(intended)} from the intended time and {duration(published)} from publish,"
        f" {times(intended / published)} less{more}"
    )
