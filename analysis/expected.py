"""Say what theory expects of each row of the summary, from its settings and unit costs.

The rate is the one that the publisher came to in the window: what was published is given to the
modes, and only what they make of it is predicted. The unit costs come from messages that met an
idle server.
"""

import math
from collections.abc import Iterator

import polars as pl

from analysis.runs import KEYS
from analysis.theory import MODES, Case

COSTS = ("transit_s", "round_trip_s", "per_reader_s", "rearm_s")


def cases(runs: pl.DataFrame, costs: pl.DataFrame) -> Iterator[tuple[str, Case]]:
    """Yield mode and case of each setting and mode, in order, averaged over its runs.

    runs: as `figures_of_runs` returns them; costs: as `unit_costs` does
    """
    averaged = runs.filter("averaged").join(costs, on="run", how="left", maintain_order="left")
    for (_, mode), of_row in averaged.group_by(KEYS, maintain_order=True):
        yield str(mode), _case(of_row)


def expectation(mode: str, case: Case) -> dict[str, float | None]:
    """Return the theory columns of the summary; None where theory has no finite answer."""
    theory = MODES[mode]
    columns = {
        "theory_latency_mean_ms": theory.latency_mean_s(case) * 1e3,
        "theory_latency_p99_ms": theory.latency_quantile_s(case, 0.99) * 1e3,
        "theory_requests_per_client_s": theory.requests_per_client_s(case),
        "theory_empty_share": theory.empty_share(case),
    }
    return {name: value if math.isfinite(value) else None for name, value in columns.items()}


def _case(runs: pl.DataFrame) -> Case:
    """Make the case of a row's runs."""
    run = runs.row(0, named=True)
    means = runs.select(pl.col(*COSTS, "session_s").mean().fill_null(0.0)).row(0, named=True)
    return Case(
        clients=run["clients"],
        rate_per_s=_rate_per_s(runs),
        interval_s=run["interval_s"],
        hold_s=run["hold_s"],
        periodic=run["schedule"] == "periodic",
        jitter_s=run["jitter_ms"] / 1e3,
        on_schedule=run.get("timer") == "grid",
        **means,
    )


def _rate_per_s(runs: pl.DataFrame) -> float:
    counted = runs.filter(pl.col("messages").is_not_null(), pl.col("window_s") > 0)
    if counted.is_empty():
        return float(runs["rate_per_s"][0])
    return float(counted.select(pl.col("messages").sum() / pl.col("window_s").sum()).item())
