"""Say where an experiment was measured: machine, versions, and what the emulated line adds.

Text only; a thing that the log does not know is not said.
"""

from collections.abc import Sequence

import polars as pl

from analysis.unit_costs import unit_costs
from analysis.wording import duration, figure
from clients.log import Experiment, Log

GIB = 2**30
CLASS = "classroom"  # whose readers are browsers


def about(experiment: Experiment) -> dict[str, str]:
    """Return machine, versions and clock by name."""
    machine = {name: str(value) for name, value in experiment.machine.items()}
    memory = experiment.machine.get("memory_bytes")
    if isinstance(memory, int):
        machine = machine | {"memory": f"{figure(memory / GIB)} GiB"}
        del machine["memory_bytes"]
    versions = ", ".join(f"{name} {value}" for name, value in experiment.versions.items())
    clock = f"resolution {experiment.clock_resolution_ns:g} ns"
    server = {"server": experiment.url} if experiment.url else {}
    return {name.replace("_", " "): value for name, value in machine.items()} | {
        "versions": versions,
        "clock": clock,
        **server,
    }


def environments(experiments: Sequence[tuple[str, Experiment]]) -> list[tuple[str, dict[str, str]]]:
    """Return each different environment with the names of what was measured in it."""
    found: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, experiment in experiments:
        found.setdefault(tuple(about(experiment).items()), []).append(name)
    return [(", ".join(names), dict(items)) for items, names in found.items()]


def absent(logs: Sequence[Log]) -> str:
    """Say what was not there, as far as is known; of a server that was there before, little is."""
    urls = [log.experiment.url for log in logs if log.experiment.url]
    missing = [] if any(url.startswith("https:") for url in urls) else ["no TLS"]
    missing += [] if urls or proxied(logs) else ["no proxy"]
    missing += [] if any(log.experiment.scenario == CLASS for log in logs) else ["no browser"]
    if not missing:
        return ""
    *most, last = missing
    named = " and ".join(filter(None, [", ".join(most), last]))
    adds = f"{'each of them' if most else 'it'} adds bytes and time"
    return f"There was {named}; {adds}, and to requests more than to an open connection"


def proxied(logs: Sequence[Log]) -> bool:
    """Tell whether in any run something stood between line and server."""
    return any((log.runs["proxy"] != "").any() for log in logs)


def line_added(logs: Sequence[Log]) -> str | None:
    """Say what the emulated line adds by itself to a transit; None where none was emulated."""
    costs = pl.concat([_transits(log) for log in logs])
    far = costs.filter(pl.col("rtt_ms") > 0)["extra_ms"].median()
    near = costs.filter(pl.col("rtt_ms") == 0)["extra_ms"].median()
    if not isinstance(far, float):
        return None
    said = f"over WebSocket a transit took {duration(far)} more than half of the round trip set"
    if not isinstance(near, float) or far <= near:
        return f"{said}; so much the line and both programs add"
    own = duration(far - near)
    return f"{said}, and {duration(near)} without the line, so that the line itself adds {own}"


def _transits(log: Log) -> pl.DataFrame:
    """Return by run of WebSocket what a transit took beyond what the line was set to."""
    delayed = pl.col("kbit_per_s") == 0  # alone: what waits for bandwidth is not the line's own
    runs = log.runs.filter(pl.col("mode") == "ws", "valid", delayed)
    runs = runs.join(unit_costs(log), on="run")
    set_ms = (pl.col("rtt_ms") + pl.col("jitter_ms")) / 2
    return runs.select("rtt_ms", extra_ms=pl.col("transit_s") * 1e3 - set_ms)
