"""What one report over many experiments shows of each: its charts and figures. Data only.

The order is that in which `all` measures; a scenario that is not named here is shown all the same.
"""

import msgspec

WAITS = ("latency_mean_ms", "latency_p50_ms", "latency_p99_ms")
BYTES = ("bytes_up_per_delivery", "bytes_down_per_delivery")
CPU = ("server_cpu_us_per_delivery",)
MEMORY = ("server_kib_per_client",)
PER_MESSAGE = ("requests_per_delivery", "empty_share")
PER_SECOND = ("requests_per_client_s",)


class Chapter(msgspec.Struct, frozen=True):
    """The charts that answer a scenario's question, and the columns of its table of figures.

    theory, faults: another table stands in place of that
    """

    charts: tuple[str, ...] = ("timeline", "latency", "bytes", "cpu")
    columns: tuple[str, ...] = (*WAITS, *PER_MESSAGE, *BYTES, *CPU)
    theory: bool = False
    faults: bool = False


CHAPTERS: dict[str, Chapter] = {
    "quick": Chapter(),
    "chat": Chapter(("timeline", "empty")),
    "interval": Chapter(("tradeoff", "bytes", "cpu"), (*WAITS, *PER_SECOND, *BYTES, *CPU)),
    "distance": Chapter(("mean_latency", "latency"), (*WAITS, "latency_max_ms", *PER_SECOND)),
    "rate": Chapter(("requests", "bytes", "cpu", "mean_latency")),
    "hold": Chapter(("requests", "empty"), (*WAITS, *PER_SECOND, *PER_MESSAGE, *MEMORY)),
    "payload": Chapter(("bytes", "cpu"), (*WAITS, *BYTES, *CPU)),
    "reconnect": Chapter(
        ("mean_latency", "cpu"), (*WAITS, *PER_SECOND, "connections", *BYTES, *CPU)
    ),
    "deflate": Chapter(("bytes", "cpu", "memory"), (*WAITS, *BYTES, *CPU, *MEMORY)),
    "crowd": Chapter(("memory", "cpu", "mean_latency"), (*WAITS, *BYTES, *CPU, *MEMORY)),
    "theory": Chapter(("mean_latency", "latency"), theory=True),
    "stall": Chapter(("stall",)),
    "faults": Chapter(("faults",), faults=True),
    "rfc6202": Chapter(("mean_latency", "latency"), (*WAITS, "latency_max_ms", *PER_SECOND)),
}
LEAP = "quantum-leap"


def place(scenario: str) -> int:
    """Return where a scenario stands among the chapters; one that is not known stands last."""
    names = [*CHAPTERS, LEAP]
    return names.index(scenario) if scenario in names else len(names)
