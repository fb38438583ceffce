"""Answer what was asked about polling: interval, hold, rate, connections. Text only."""

from collections.abc import Sequence

import polars as pl

from analysis.answers.phrases import Row, begun, by_mode, of_100, of_mode
from analysis.crossing import Range, one_sided, places, ranges
from analysis.modes import MODES
from analysis.rows import representative, with_bytes
from analysis.wording import duration, figure, measured, plain, span, times
from clients.log import Log

CPU = "server_cpu_us_per_delivery"
EVERYWHERE = (Range(None, None),)


def interval(_: Log, rows: pl.DataFrame) -> str | None:
    """Hold the shortest interval against the longest, and give their product with requests."""
    known = rows.drop_nulls(["latency_mean_ms", "requests_per_client_s"])
    short = of_mode(known, "short", "interval_s")
    if len(short) < 2:
        return None
    quick, slow = short[0], short[-1]
    products = [row["latency_mean_ms"] / 1e3 * row["requests_per_client_s"] for row in short]
    sooner = times(slow["latency_mean_ms"] / quick["latency_mean_ms"])
    asked = times(quick["requests_per_client_s"] / slow["requests_per_client_s"])
    return (
        f"Asking every {plain(quick['interval_s'])} s in place of every"
        f" {plain(slow['interval_s'])} s makes the mean latency {sooner} shorter,"
        f" {duration(quick['latency_mean_ms'])} in place of {duration(slow['latency_mean_ms'])},"
        f" for {asked} the requests; latency in seconds times requests per second is"
        f" {span(products, lambda product: figure(product, 2))} throughout"
    )


def hold(_: Log, rows: pl.DataFrame) -> str | None:
    """Hold the longest hold against the shortest: requests, empty answers, latency."""
    known = rows.drop_nulls(["latency_mean_ms", "requests_per_client_s", "empty_share"])
    held = of_mode(known, "long", "hold_s")
    if len(held) < 2:
        return None
    brief, long = held[0], held[-1]
    late = span((row["latency_mean_ms"] for row in held), duration)
    return (
        f"Held for {plain(brief['hold_s'])} s, a client asks"
        f" {measured(brief['requests_per_client_s'])} times a second and of 100 answers"
        f" {of_100(brief['empty_share'])} bring nothing; held for {plain(long['hold_s'])} s,"
        f" {measured(long['requests_per_client_s'])} times and {of_100(long['empty_share'])};"
        f" mean latency is {late} throughout"
    )


def rate(_: Log, rows: pl.DataFrame) -> str | None:
    """Say at which rates short polling needs fewer requests, bytes and CPU."""
    rows = with_bytes(rows)
    several = (
        ("fewer requests than", [("requests_per_delivery", "long", "")]),
        ("fewer bytes than", [("total", "ws", ""), ("link", "ws", "counting TCP/IP's headers")]),
        ("less server CPU than", [(CPU, "long", ""), (CPU, "ws", "than WebSocket")]),
    )
    parts = [text for what, claims in several if (text := _claims(rows, what, claims))]
    late = by_mode(representative(rows), "latency_mean_ms").get("short")
    if not parts or late is None:
        return None
    return f"Short polling takes {'; '.join(parts)}; its messages are {duration(late)} late"


def _claims(rows: pl.DataFrame, what: str, claims: Sequence[tuple[str, str, str]]) -> str:
    """Join what can be said of a figure: the first names the other mode, the next may name less."""
    said = [(other, more, place) for column, other, more in claims
            if (place := _where(rows, column, other))]  # fmt: skip
    if not said:
        return ""
    (first, how, place), *others = said
    lead = f"{what} {MODES[first].name} {place}"
    if how and MODES[first].name not in how:
        lead += f", {how}"
    return ", and ".join([lead, *(f"{more} {place}" for _, more, place in others)])


def _where(rows: pl.DataFrame, column: str, other: str) -> str:
    """Say at which rates short polling has the smaller figure.

    Nothing if not both have one, and nothing of all rates that the figure of any contradicts.
    """
    at = rows, column, "rate_per_s", "short", other
    found = ranges(*at)
    if found and found != EVERYWHERE:
        return places(found, "rate_per_s")
    if found is None or not one_sided(*at):
        return ""
    most = plain(float(rows["rate_per_s"].max() or 0))  # type: ignore[arg-type]
    return "at every rate" if found else f"at no rate up to {most}"


def reconnect(_: Log, rows: pl.DataFrame) -> str | None:
    """Hold connections that close against kept ones: cycle, latency, server time."""
    parts = []
    for mode in ("short", "long"):
        kinds = {row["keepalive"]: row for row in of_mode(rows, mode, "keepalive")}
        if len(kinds) == 2:
            parts.append(_closed(mode, kinds[True], kinds[False]))
    return begun("; ".join(parts)) if parts else None


def _closed(mode: str, kept: Row, new: Row) -> str:
    before, after = (duration(row["latency_mean_ms"]) for row in (kept, new))
    said = f"{MODES[mode].name}'s mean latency grows from {before} to {after}"
    if kept[CPU] and new[CPU]:
        said += f", and its server CPU to {times(new[CPU] / kept[CPU])} as much"
    if mode == "short" and kept["requests_per_client_s"] and new["requests_per_client_s"]:
        one, other = (figure(1 / row["requests_per_client_s"]) for row in (kept, new))
        said += f", since a cycle takes {other} s in place of {one} s"
    return said
