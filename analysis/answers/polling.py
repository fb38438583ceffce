"""Answer what was asked about polling: interval, hold, rate, connections. Text only."""

import polars as pl

from analysis.answers.phrases import begun, by_mode, of_100, of_mode
from analysis.crossing import crossings
from analysis.modes import MODES
from analysis.rows import representative, varied, with_bytes
from analysis.wording import duration, figure, measured, plain, span, times
from clients.log import Log

CPU = "server_cpu_us_per_delivery"


def interval(_: Log, rows: pl.DataFrame) -> str | None:
    """Hold the shortest interval against the longest, and give their product with requests."""
    short = of_mode(rows.drop_nulls("latency_mean_ms"), "short", "interval_s")
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
    held = of_mode(rows.drop_nulls(["latency_mean_ms", "empty_share"]), "long", "hold_s")
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
    """Say from which rate on short polling needs fewer requests, bytes and CPU."""
    if varied(rows) != "rate_per_s" or not {"short", "ws"} <= set(rows["mode"]):
        return None
    rows = with_bytes(rows)
    late = by_mode(representative(rows), "latency_mean_ms").get("short")
    return (
        f"Short polling takes fewer requests than long polling"
        f" {_from(rows, 'requests_per_delivery', 'long')}; fewer bytes than WebSocket"
        f" {_from(rows, 'total', 'ws')}, and counting TCP/IP's headers {_from(rows, 'link', 'ws')};"
        f" less server CPU than long polling {_from(rows, CPU, 'long')}, and than WebSocket"
        f" {_from(rows, CPU, 'ws')}; its messages are {duration(late)} late"
    )


def _from(rows: pl.DataFrame, column: str, other: str) -> str:
    """Say above which rate short polling has the smaller figure."""
    two = rows.filter(pl.col("mode").is_in(["short", other]), pl.col(column) > 0)
    found = [each.at for each in crossings(two, column, "rate_per_s") if each.less == "short"]
    if found:
        return f"above about {figure(found[-1], 2)} messages/s"
    most = two.filter(pl.col("rate_per_s") == pl.col("rate_per_s").max())
    there = by_mode(most, column)
    if len(there) < 2 or there["short"] >= there[other]:
        return f"at no rate up to {plain(float(two['rate_per_s'].max() or 0))}"  # type: ignore[arg-type]
    return "at every rate"


def reconnect(_: Log, rows: pl.DataFrame) -> str | None:
    """Hold connections that close against kept ones: cycle, latency, server time."""
    parts = []
    for mode in ("short", "long"):
        kinds = {row["keepalive"]: row for row in of_mode(rows, mode, "keepalive")}
        if len(kinds) == 2:
            parts.append(_closed(mode, kinds[True], kinds[False]))
    return begun("; ".join(parts)) if parts else None


def _closed(mode: str, kept: dict[str, float], new: dict[str, float]) -> str:
    before, after = (duration(row["latency_mean_ms"]) for row in (kept, new))
    said = f"{MODES[mode].name}'s mean latency grows from {before} to {after}"
    if kept["server_cpu_us_per_delivery"]:
        cpu = new["server_cpu_us_per_delivery"] / kept["server_cpu_us_per_delivery"]
        said += f", and its server CPU to {times(cpu)} as much"
    if mode == "short":
        one, other = (figure(1 / row["requests_per_client_s"]) for row in (kept, new))
        said += f", since a cycle takes {other} s in place of {one} s"
    return said
