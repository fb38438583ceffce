"""Say which mode was measured to be cheapest at each setting of an experiment. No theory here."""

import math

import msgspec
import polars as pl

from analysis.modes import MODES
from analysis.runs import PLAIN, figures_of_runs, is_poll
from analysis.unit_costs import unit_costs
from clients.log import Log

# Of a delivery. Publishing is in the server's time, the same in every mode; handshakes are paid
# once and left out. A WebSocket asks for nothing, so requests are compared among polls.
MEASURES = {
    "cpu": pl.col("server_cpu_us_per_delivery"),
    "bytes": pl.when(is_poll())
    .then(pl.col("bytes_up_per_delivery") + pl.col("bytes_down_per_delivery"))
    .otherwise((pl.col("frame_bytes") + pl.col("body_bytes")) / pl.col("all_deliveries")),
    "requests": pl.when(is_poll()).then("requests_per_delivery"),
}


class Measured(msgspec.Struct, frozen=True):
    """A setting, and the cheapest mode there by each measure: None when a mode has no good run."""

    rate_per_s: float
    interval_s: float
    round_trip_s: float
    rtt_ms: float
    cheapest: dict[str, str | None]


def cheapest(log: Log, payload_bytes: int) -> list[Measured]:
    """Return each setting at which short polling was measured, with its cheapest modes.

    The other modes do not know an interval: theirs are the runs of the same rate and distance.
    """
    runs = figures_of_runs(log).filter(PLAIN, pl.col("payload_bytes") == payload_bytes)
    runs = runs.join(unit_costs(log).select("run", "round_trip_s"), on="run", how="left")
    places = runs.filter(pl.col("mode") == "short").group_by(
        "clients", "rate_per_s", "rtt_ms", "interval_s", maintain_order=True
    )
    return [_measured(runs, short) for _, short in places]


def _measured(runs: pl.DataFrame, short: pl.DataFrame) -> Measured:
    at = short.row(0, named=True)
    same = [pl.col(name) == at[name] for name in ("clients", "rate_per_s", "rtt_ms")]
    there = pl.concat([short, runs.filter(pl.col("mode") != "short", *same)])
    figures = there.filter(~pl.col("void")).group_by("mode").agg(
        **{name: each.mean() for name, each in MEASURES.items()}
    )  # fmt: skip
    by_mode = {row["mode"]: row for row in figures.to_dicts()}
    round_trip_s = short["round_trip_s"].median()
    return Measured(
        at["rate_per_s"],
        at["interval_s"],
        math.nan if round_trip_s is None else float(round_trip_s),  # type: ignore[arg-type]
        at["rtt_ms"],
        {name: _least(by_mode, name) for name in MEASURES},
    )


def _least(by_mode: dict[str, dict[str, float]], name: str) -> str | None:
    if set(by_mode) != set(MODES):
        return None
    known = [mode for mode in MODES if by_mode[mode][name] is not None]
    return min(known, key=lambda mode: by_mode[mode][name], default=None)
