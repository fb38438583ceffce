"""Put figures into words: how many digits, which unit. No figure is computed here."""

import math

import polars as pl

NOTHING = "\u2013"  # a figure that was not measured
NBSP = "\u00a0"  # keeps a number and its unit on one line


def figure(value: float | None, digits: int = 3) -> str:
    """Write a number with so many significant digits and no exponent; a dash for None."""
    if value is None:
        return NOTHING
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    return f"{round(value, decimals):,.{min(decimals, 6)}f}"


def duration(value_ms: float | None, digits: int = 2) -> str:
    """Write milliseconds as ms below a second and as s above: `2.3 ms`, `1.2 s`."""
    if value_ms is None:
        return NOTHING
    if value_ms >= 1000:
        return f"{figure(value_ms / 1000, digits)}{NBSP}s"
    return f"{figure(value_ms, max(digits, 3 if value_ms >= 100 else digits))}{NBSP}ms"


def percent(share: float | None) -> str:
    """Write a share of one: `15 %`, `0.4 %`."""
    if share is None:
        return NOTHING
    if 1e-6 < share < 0.0005:
        return f"<0.1{NBSP}%"
    few = 0.0005 <= share < 0.095
    return f"{figure(share * 100, 2) if few else round(share * 100)}{NBSP}%"


def times(ratio: float) -> str:
    """Write a ratio as people say it: `1.4 times`, `450 times`."""
    return f"{figure(ratio, 2)}{NBSP}times"


def plain(value: float) -> str:
    """Write a setting as it was given: `2`, `0.25`."""
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:.3g}"


def measured(value: float | None) -> str:
    """Write a measured figure: two significant digits below ten, else three."""
    return figure(value, 2 if value is not None and value < 10 else 3)


VARIABLES = {
    "clients": "clients",
    "rate_per_s": "messages per second",
    "interval_s": "interval in s",
    "hold_s": "hold in s",
    "rtt_ms": "round trip added to the link, in ms",
    "payload_bytes": "payload in bytes",
}


PHRASES = {
    "clients": "{} clients",
    "rate_per_s": "{} messages/s",
    "interval_s": "an interval of {} s",
    "hold_s": "a hold of {} s",
    "rtt_ms": "a round trip of {} ms",
    "payload_bytes": "a payload of {} bytes",
}


def setting(row: dict[str, object], without: str | None = None) -> str:
    """Describe a row's settings in a line: `8 clients, 2 messages/s, ...`."""
    value = {name: plain(float(str(row[name]))) for name in VARIABLES}
    parts = {
        "clients": f"{value['clients']} client{'s' * (row['clients'] != 1)}",
        "rate_per_s": f"{value['rate_per_s']} messages/s of {value['payload_bytes']} bytes",
        "interval_s": f"interval {value['interval_s']} s",
        "hold_s": f"hold {value['hold_s']} s",
        "rtt_ms": f"{value['rtt_ms']} ms added round trip",
    }
    if row["rtt_ms"] == 0:
        parts["rtt_ms"] = "loopback"
    if without == "payload_bytes":
        parts["rate_per_s"] = f"{value['rate_per_s']} messages/s"
    if without == "rate_per_s":
        parts["rate_per_s"] = f"messages of {value['payload_bytes']} bytes"
    elif without in parts:
        del parts[without]
    return ", ".join(parts.values())


def trials(rows: pl.DataFrame) -> str:
    """Say what stands behind a figure."""
    least, most = int(rows["trials"].min() or 0), int(rows["trials"].max() or 0)  # type: ignore[arg-type]
    if most == 1:
        return "one run, so no interval"
    runs = str(most) if least == most else f"{least} to {most}"
    return f"{runs} runs each, 95 % intervals"
