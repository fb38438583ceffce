"""Summarise the log: one row per setting and mode, in the columns of `summary.csv`. No files here.

Rates and means are means over runs; percentiles are those of all runs' deliveries together;
counts are sums: deliveries of the windows to all clients, requests of those measured one by one.
A void run is left out unless a row has no other, which is then not valid. What was not measured is
null; so is what a row's requests cost, where none of them fell into a window.
"""

import numpy as np
import polars as pl

from analysis.bootstrap import Floats, mean_interval, percentile_interval
from analysis.expected import cases, expectation
from analysis.runs import (
    FORESEEN,
    KEYS,
    figures_of_runs,
    is_poll,
    latencies_ms,
    window_deliveries,
)
from analysis.unit_costs import unit_costs
from clients.log import Log, LogError, Settings

SETTINGS = ("clients", "rate_per_s", "interval_s", "hold_s", "rtt_ms", "payload_bytes")
LENGTHS = ("duration_s", "warmup_s", "sample_limit")  # how much is measured is not what is
CONDITIONS = tuple(name for name in Settings.__struct_fields__ if name not in (*SETTINGS, *LENGTHS))
PERCENTILES = {"latency_p50_ms": 0.5, "latency_p90_ms": 0.9, "latency_p99_ms": 0.99}
MEANS = (
    "latency_mean_ms",
    "requests_per_client_s",
    "requests_per_delivery",
    "empty_share",
    "bytes_up_per_delivery",
    "bytes_down_per_delivery",
    "server_cpu_us_per_delivery",
    "server_kib_per_client",
)
COLUMNS = (
    *("mode", *SETTINGS, "trials", "messages", "deliveries", "lost", "duplicates", "out_of_order"),
    *("latency_mean_ms", *PERCENTILES, "latency_max_ms", "requests", "requests_per_client_s"),
    *("requests_per_delivery", "empty_share", "connections", "bytes_up_per_delivery"),
    *("bytes_down_per_delivery", "server_cpu_us_per_delivery", "server_kib_per_client"),
    *("theory_latency_mean_ms", "theory_latency_p99_ms", "theory_requests_per_client_s"),
    *("theory_empty_share", "valid"),
)
MEASURED = tuple(name for name in COLUMNS if name in MEANS or name in PERCENTILES)
IN_DOUBT = (*MEASURED, "bytes_per_delivery")  # the sum of both ways has an interval of its own
INTERVALS = tuple(f"{name}_{end}" for name in IN_DOUBT for end in ("low", "high"))
OF_REQUESTS = ("requests_per_client_s", "requests_per_delivery")
PREDICTED = tuple(name for name in COLUMNS if f"theory_{name}" in COLUMNS)
DIFFERENCES = tuple(f"{name}_theory_difference_percent" for name in PREDICTED)
LEAST_EXPECTED = 1e-6  # beside less than that, a per cent means nothing
LEAST_EMPTY = 1.0  # nor where a reader is to see fewer empty responses than that, in all its runs


def summarise(log: Log) -> pl.DataFrame:
    """Return the summary; rows by setting, and modes in their order.

    Columns: COLUMNS, then INTERVALS, CONDITIONS (settings that came later) and DIFFERENCES (of a
    measured figure from theory's, in per cent of theory's). The intervals hold with 95 %
    confidence; null with fewer than two runs. Raise LogError when the log holds no run.
    """
    if log.runs.is_empty():
        raise LogError("the log holds no run: measure again, and let a run end")
    runs = figures_of_runs(log)
    averaged = runs.filter("averaged")
    percentiles = _percentiles(log, averaged)
    rows = _aggregate(runs, averaged).join(percentiles, on=KEYS, how="left", maintain_order="left")
    theory = [expectation(mode, case) for mode, case in cases(runs, unit_costs(log))]
    generator = np.random.default_rng(log.experiment.seed)
    intervals = _intervals(averaged, latencies_ms(log), generator)
    schema = dict.fromkeys([name for name in COLUMNS if name.startswith("theory_")], pl.Float64)
    columns = [pl.DataFrame(theory, schema=schema), intervals]
    whole = pl.concat([rows, *columns], how="horizontal").with_columns(
        pl.when(FORESEEN).then(pl.col(name)).alias(name) for name in schema
    )
    whole = whole.with_columns(
        pl.when(pl.col("requests") > 0).then(pl.col(f"{name}{end}")).alias(f"{name}{end}")
        for name in OF_REQUESTS
        for end in ("", "_low", "_high")
    )  # of a few runs with long intervals, each window may fall between two polls
    whole = whole.with_columns(**_differences())
    return whole.select(*COLUMNS, *INTERVALS, *CONDITIONS, *DIFFERENCES)


def _differences() -> dict[str, pl.Expr]:
    pairs = zip(DIFFERENCES, PREDICTED, strict=True)
    return {difference: _difference_percent(name) for difference, name in pairs}


def _difference_percent(name: str) -> pl.Expr:
    expected = pl.col(f"theory_{name}")
    enough = expected >= LEAST_EXPECTED
    if name == "empty_share":
        enough &= expected * pl.col("requests") / pl.col("readers") >= LEAST_EMPTY
    if name == "requests_per_client_s":
        enough &= is_poll()  # one for each session is what a session is
    return pl.when(enough).then((pl.col(name) / expected - 1) * 100)


def _aggregate(runs: pl.DataFrame, averaged: pl.DataFrame) -> pl.DataFrame:
    sums = ("messages", "lost", "duplicates", "out_of_order", "connections")
    valid = runs.group_by(KEYS).agg(valid=~pl.col("void").all())
    rows = averaged.group_by(KEYS, maintain_order=True).agg(
        pl.col(*SETTINGS, *CONDITIONS).first(),
        _sum_of_known(*sums),
        pl.col(MEANS).mean(),
        trials=pl.len(),
        deliveries=_sum_of_known("served"),
        requests=pl.col("window_requests").sum(),
        readers=(pl.col("clients") - pl.col("crowd_clients")).mean(),
    )
    return rows.join(valid, on=KEYS, how="left", maintain_order="left")


def _sum_of_known(*names: str) -> pl.Expr:
    """Return the sums; null where no run has the figure, as one that was interrupted may not."""
    return pl.when(pl.col(*names).count() > 0).then(pl.col(*names).sum())


def _percentiles(log: Log, averaged: pl.DataFrame) -> pl.DataFrame:
    """Return the percentiles of every delivery that counts, by setting and mode."""
    samples = window_deliveries(log).join(averaged.select(*KEYS, "run"), on="run")
    latency_ms = pl.col("latency_ms")
    quantiles = {name: latency_ms.quantile(q, "linear") for name, q in PERCENTILES.items()}
    return samples.group_by(KEYS).agg(**quantiles, latency_max_ms=latency_ms.max())


def _intervals(
    averaged: pl.DataFrame, samples: dict[int, Floats], generator: np.random.Generator
) -> pl.DataFrame:
    rows = []
    for _, runs in averaged.group_by(KEYS, maintain_order=True):
        ends: dict[str, float | None] = {}
        latencies = [samples[run] for run in sorted(runs["run"]) if run in samples]
        for name in IN_DOUBT:
            if name in PERCENTILES:
                interval = percentile_interval(latencies, PERCENTILES[name], generator)
            else:
                interval = mean_interval(runs[name].drop_nulls().to_numpy(), generator)
            ends[f"{name}_low"], ends[f"{name}_high"] = interval or (None, None)
        rows.append(ends)
    return pl.DataFrame(rows, schema=dict.fromkeys(INTERVALS, pl.Float64))
