"""Answer what was asked about sizes: of texts, of what is compressed, of crowds. Text only."""

import math
from itertools import pairwise
from typing import Any

import polars as pl

from analysis.answers.phrases import by_mode, listed, of_mode
from analysis.modes import MODES
from analysis.rows import varied, with_bytes
from analysis.wording import NBSP, duration, figure, measured, percent, plain, span, times
from clients.log import Log

NO_OVERHEAD = 1e-3
MATTERS = 0.1  # of all bytes, from which on overhead is held to matter
Row = dict[str, Any]


def payload(_: Log, rows: pl.DataFrame) -> str | None:
    """Say from which size on less than a tenth of the bytes is not text."""
    if varied(rows) != "payload_bytes":
        return None
    rows = with_bytes(rows).drop_nulls("total")
    if rows.is_empty():
        return None
    rows = rows.with_columns(overhead=1 - pl.col("payload_bytes") / pl.col("total"))
    sizes = {mode: _falls(of_mode(rows, mode, "payload_bytes")) for mode in MODES}
    parts = [f"{size} {_by(mode)}" for mode, size in sizes.items() if size]
    return (
        f"What is not text is less than {percent(MATTERS)} of all bytes from this size of text on:"
        f" {listed(parts)}{_dearest(rows)}"
    )


def _dearest(rows: pl.DataFrame) -> str:
    """Hold the dearest mode against the cheapest at the largest size; nothing of a single one."""
    largest = rows["payload_bytes"].max()
    totals = by_mode(rows.filter(pl.col("payload_bytes") == largest), "total")
    if len(totals) < 2:
        return ""
    more = percent(max(totals.values()) / min(totals.values()) - 1)
    size = plain(float(largest or 0))  # type: ignore[arg-type]
    return f"; with {size} bytes of text the dearest mode takes {more} more bytes than the cheapest"


def _by(mode: str) -> str:
    return f"{'over' if mode == 'ws' else 'by'} {MODES[mode].name}"


def _falls(of_one: list[Row]) -> str:
    """Return the size from which on overhead is small, on straight lines in log-log."""
    for less, more in pairwise(of_one):
        if less["overhead"] > MATTERS >= more["overhead"]:
            # What is compressed may take less than its text; then there is no overhead left.
            drop = math.log(less["overhead"] / max(more["overhead"], NO_OVERHEAD))
            part = math.log(less["overhead"] / MATTERS) / drop
            size = less["payload_bytes"] * (more["payload_bytes"] / less["payload_bytes"]) ** part
            return f"about {plain(float(f'{size:.2g}'))} bytes"
    if not of_one:
        return ""
    return "any size" if of_one[-1]["overhead"] <= MATTERS else "none that was measured"


def deflate(_: Log, rows: pl.DataFrame) -> str | None:
    """Hold compressed messages against plain ones: bytes, server time, memory."""
    parts = []
    known = with_bytes(rows).drop_nulls("total")
    for _size, of_size in known.group_by("payload_bytes", maintain_order=True):
        kinds = {row["deflate"]: row for row in of_size.to_dicts()}
        if len(kinds) == 2:
            parts.append(_compressed(kinds[False], kinds[True]))
    if not parts:
        return None
    return f"Compression saves {'; '.join(parts)}; the texts are mostly dots, which compress well"


def _compressed(loose: Row, packed: Row) -> str:
    size = plain(loose["payload_bytes"])
    saved = percent(1 - packed["total"] / loose["total"])
    said = f"{saved} of the bytes of a message with {size} bytes of text"
    if loose["server_cpu_us_per_delivery"] and packed["server_cpu_us_per_delivery"]:
        cpu = packed["server_cpu_us_per_delivery"] / loose["server_cpu_us_per_delivery"]
        said += f" for {times(cpu)} the server CPU"
    if None not in (loose["server_kib_per_client"], packed["server_kib_per_client"]):
        kib = [figure(row["server_kib_per_client"], 2) for row in (packed, loose)]
        said += f", with {kib[0]} KiB for each reader in place of {kib[1]}"
    return said


def crowd(_: Log, rows: pl.DataFrame) -> str | None:
    """Give memory and server time at the largest crowd, and how latency grew over WebSocket."""
    if varied(rows) != "clients":
        return None
    many = rows.filter(pl.col("clients") == pl.col("clients").max())
    kib, cpu = (
        by_mode(many, name) for name in ("server_kib_per_client", "server_cpu_us_per_delivery")
    )
    pushed = of_mode(rows, "ws", "clients")
    if not kib or not cpu or len(pushed) < 2:
        return None
    memory = span(kib.values(), lambda value: figure(value, 2))
    time = [f"{measured(us)}{NBSP}µs {_by(mode)}" for mode, us in cpu.items()]
    late = [duration(row["latency_mean_ms"]) for row in (pushed[0], pushed[-1])]
    return (
        f"Among {plain(many['clients'][0])} clients each takes {memory} KiB, and a delivery"
        f" {listed(time)}; from {plain(pushed[0]['clients'])} client to"
        f" {plain(pushed[-1]['clients'])}, mean latency over WebSocket grows from {late[0]} to"
        f" {late[1]}"
    )
