"""Put figures into words: how many digits, which unit. No figure is computed here."""

import math
from collections.abc import Callable, Collection, Iterable

import polars as pl

from analysis.bootstrap import HOLDS, HOLDS_APART, holds_of_100
from analysis.modes import MODES

NOTHING = "\u2013"  # a figure that was not measured
NBSP = "\u00a0"  # keeps a number and its unit on one line
MINUS = "\u2212"


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
    if value_ms >= 999.5:  # which would be 1,000 ms
        return f"{figure(value_ms / 1000, digits)}{NBSP}s"
    return f"{figure(value_ms, max(digits, 3 if value_ms >= 100 else digits))}{NBSP}ms"


def percent(share: float | None) -> str:
    """Write a share of one: `15 %`, `0.4 %`."""
    if share is None or math.isinf(share):
        return NOTHING
    if 1e-6 < share < 0.0005:
        return f"<0.1{NBSP}%"
    few = 0.0005 <= share < 0.095
    return f"{figure(share * 100, 2) if few else round(share * 100)}{NBSP}%"


def signed_percent(value: float) -> str:
    """Write a difference in per cent: `+3.2 %`, `+120 %`, with a minus sign below zero."""
    size = f"{abs(value):.1f}" if abs(value) < 9.95 else f"{abs(value):,.0f}"
    sign = "" if float(size.replace(",", "")) == 0 else "+" if value > 0 else MINUS
    return f"{sign}{size}{NBSP}%"


def times(ratio: float) -> str:
    """Write a ratio as people say it: `1.4 times`, `450 times`."""
    return f"{figure(ratio, 2)}{NBSP}times"


def span(values: Iterable[float], write: Callable[[float], str]) -> str:
    """Write the least and the most, a unit once: `2.1 to 2.3 ms`; one when they are alike."""
    known = sorted(values)
    low, high = write(known[0]), write(known[-1])
    number, _, unit = low.partition(NBSP)
    return low if low == high else f"{number if high.endswith(NBSP + unit) else low} to {high}"


def plain(value: float) -> str:
    """Write a setting as it was given: `2`, `0.25`, `1,234.5`; of many decimals, the first few."""
    if float(value).is_integer() or not math.isfinite(value):
        return f"{value:,.0f}"
    few = f"{value:,.2f}" if abs(value) >= 1 else figure(value)
    return few.rstrip("0").rstrip(".")


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
    "jitter_ms": "jitter of the link each way, in ms",
    "kbit_per_s": "bandwidth of the link in kbit/s",
    "stall_s": "stall of the server in s",
    "faults_per_s": "faults per second",
}

PHRASES = {
    "clients": "{} clients",
    "rate_per_s": "{} messages/s",
    "interval_s": "an interval of {} s",
    "hold_s": "a hold of {} s",
    "rtt_ms": "a round trip of {} ms",
    "payload_bytes": "a payload of {} bytes",
    "jitter_ms": "a jitter of {} ms",
    "kbit_per_s": "{} kbit/s",
    "stall_s": "a stall of {} s",
    "faults_per_s": "{} faults/s",
}

LABELS = {
    "clients": "{} clients",
    "rate_per_s": "{} messages/s",
    "interval_s": "interval {} s",
    "hold_s": "hold {} s",
    "rtt_ms": "{} ms round trip",
    "payload_bytes": "{} bytes",
    "jitter_ms": "{} ms jitter",
    "kbit_per_s": "{} kbit/s",
    "stall_s": "{} s stall",
    "faults_per_s": "{} faults/s",
}

# Settings that are of a kind, and have no place on an axis; the usual kind stands first.
KINDS: dict[str, dict[object, str]] = {
    "keepalive": {True: "connections kept", False: "new connections"},
    "deflate": {False: "not compressed", True: "compressed"},
    "schedule": {"poisson": "at random", "periodic": "evenly spaced"},
    "fault_kinds": {"": "of every kind"},
    "proxy": {"": "no proxy", "nginx": "through nginx"},
    "timer": {"after": "interval after the answer", "grid": "interval on a fixed grid"},
}


CONDITIONS = ("jitter_ms", "kbit_per_s", "stall_s", "faults_per_s")


def apart(row: dict[str, object], names: Iterable[str]) -> str:
    """Say by which of the named settings a row is told from others: `64 bytes, compressed`.

    Not by a kind that makes no difference to its mode.
    """
    strange = MODES[str(row["mode"])].ignores & KINDS.keys()
    return ", ".join(_told(row, name) for name in names if name not in strange)


def setting(row: dict[str, object], without: str | Collection[str] | None = None) -> str:
    """Describe a row's settings in a line: `8 clients, 2 messages/s, ...`.

    without: a setting, or several, that vary and are named elsewhere
    Of a crowd of which most are only counted (`crowd_clients`), how many are measured is said too.
    """
    left_out = {without} if isinstance(without, str) else set(without or ())
    return ", ".join([*_basics(row, left_out), *_conditions(row, left_out)])


def _sampled(row: dict[str, object], left_out: set[str]) -> str:
    crowd = row.get("crowd_clients")
    if not crowd:
        return ""
    measured = plain(_number(row["clients"]) - _number(crowd))
    what = f"at most {measured} clients" if "clients" in left_out else f"{measured} of them"
    return f"{what} measured one by one"


def _basics(row: dict[str, object], left_out: set[str]) -> list[str]:
    value = {name: plain(_number(row[name])) for name in VARIABLES}
    parts = {
        "clients": f"{value['clients']} client{'s' * (row['clients'] != 1)}",
        "rate_per_s": f"{value['rate_per_s']} messages/s of {value['payload_bytes']} bytes",
        "interval_s": f"interval {value['interval_s']} s",
        "hold_s": f"hold {value['hold_s']} s",
        "rtt_ms": f"{value['rtt_ms']} ms added round trip",
    }
    if row["rtt_ms"] == 0:
        parts["rtt_ms"] = "loopback"
    if "payload_bytes" in left_out:
        parts["rate_per_s"] = f"{value['rate_per_s']} messages/s"
    if "rate_per_s" in left_out and "payload_bytes" not in left_out:
        parts["rate_per_s"] = f"messages of {value['payload_bytes']} bytes"
        left_out = left_out - {"rate_per_s"}
    shown = [text for name, text in parts.items() if name not in left_out]
    if sampled := _sampled(row, left_out):
        shown.insert(0 if "clients" in left_out else 1, sampled)
    return shown


def _conditions(row: dict[str, object], left_out: set[str]) -> list[str]:
    """Name what is set otherwise than usual."""
    unusual = [name for name in CONDITIONS if row[name]]
    for name, words in KINDS.items():
        usual = next(iter(words))
        if row.get(name, usual) != usual:
            unusual.append(name)
    return [_told(row, name) for name in unusual if name not in left_out]


def _told(row: dict[str, object], name: str) -> str:
    if name in KINDS:
        return KINDS[name].get(row[name], f"{name.replace('_', ' ')} {row[name]}")
    label = LABELS.get(name, name.replace("_", " ") + " {}")
    value = plain(_number(row[name]))
    return "1 client" if (name, value) == ("clients", "1") else label.format(value)


def _number(value: object) -> float:
    return float(str(value))


def holding(rows: pl.DataFrame) -> str:
    """Say how far to trust intervals from so few runs; nothing where there is no interval."""
    return _holding(rows["trials"], "runs", HOLDS)


def holding_apart(runs: Iterable[int]) -> str:
    """Say the same of ratios of two experiments' figures, each over so many runs of either."""
    return _holding(runs, "runs of each", HOLDS_APART)


def _holding(runs: Iterable[int], what: str, holds: dict[int, int]) -> str:
    known = [count for count in runs if count > 1]
    if not known:
        return ""
    least, most = min(known), max(known)
    of_100 = _range(holds_of_100(least, holds), holds_of_100(most, holds))
    few = _range(least, most)
    return f"From {few} {what}, a 95{NBSP}% interval of a mean holds in about {of_100} of 100 cases"


def _range(least: int, most: int) -> str:
    return str(least) if least == most else f"{least} to {most}"


def trials(rows: pl.DataFrame) -> str:
    """Say what stands behind a figure."""
    least, most = int(rows["trials"].min() or 0), int(rows["trials"].max() or 0)  # type: ignore[arg-type]
    if most == 1:
        return "one run, so no interval"
    return f"{_range(least, most)} runs each, 95 % intervals"
