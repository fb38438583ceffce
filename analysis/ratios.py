"""Say how many times one figure is another, with an interval: a bootstrap over runs of ratios.

Where both were measured in the same trials the trials are drawn, and with them both runs: the
modes of a trial share one publish schedule, so that much of their doubt is common and falls out.
Else the runs of each are drawn for themselves.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
import polars as pl

from analysis.bootstrap import Draws, Floats, draw, drawn_means, drawn_percentiles, interval
from analysis.once import once
from analysis.runs import KEYS, figures_of_runs, latencies_ms
from clients.log import Log

PERCENTILES = {"latency_p50_ms": 0.5, "latency_p99_ms": 0.99}
MEANS = (
    "latency_mean_ms",
    "requests_per_delivery",
    "bytes_per_delivery",
    "server_cpu_us_per_delivery",
)
FIGURES = ("latency_p50_ms", *MEANS)
Key = tuple[int, str]


class Sample(msgspec.Struct, frozen=True):
    """What the runs that count came to, of one setting and mode; an entry for each run.

    figures: MEANS by name, NaN where a run has none; latencies_ms: of the deliveries, sorted
    """

    trials: tuple[int, ...]
    figures: dict[str, Floats]
    latencies_ms: tuple[Floats, ...]


class Ratio(msgspec.Struct, frozen=True):
    """How many times the second figure the first is; no interval with fewer than two runs."""

    value: float
    low: float | None = None
    high: float | None = None
    paired: bool = False


@once
def samples(log: Log) -> dict[Key, Sample]:
    """Return the sample of each setting and mode that has a good run."""
    runs = figures_of_runs(log).filter(~pl.col("void"))
    by_run, none = latencies_ms(log), np.array([])
    found: dict[Key, Sample] = {}
    for (setting, mode), of_row in runs.group_by(KEYS, maintain_order=True):
        found[int(str(setting)), str(mode)] = Sample(
            tuple(of_row["trial"]),
            {name: of_row[name].cast(pl.Float64).fill_null(np.nan).to_numpy() for name in MEANS},
            tuple(by_run.get(run, none) for run in of_row["run"]),
        )
    return found


def ratio(
    one: Sample, other: Sample, figure: str, generator: np.random.Generator, *, pair: bool = True
) -> Ratio | None:
    """Return how many times `other`'s figure `one`'s is; None where that has no answer.

    pair: trials of the same number belong together
    """
    if not (_known(one, figure) and _known(other, figure)):
        return None
    value = _value(one, figure) / _value(other, figure)
    common = sorted(set(one.trials) & set(other.trials)) if pair else []
    if len(common) > 1:
        draws = draw(len(common), generator)
        first, second = _only(one, common), _only(other, common)
        low, high = interval(_drawn(first, figure, draws) / _drawn(second, figure, draws))
        return Ratio(value, low, high, paired=True)
    if min(len(one.trials), len(other.trials)) < 2:
        return Ratio(value)
    above = _drawn(one, figure, draw(len(one.trials), generator))
    below = _drawn(other, figure, draw(len(other.trials), generator))
    low, high = interval(above / below)
    return Ratio(value, low, high)


def _known(sample: Sample, figure: str) -> bool:
    """Tell whether every run has the figure, above zero, so that it can be divided by."""
    if figure in PERCENTILES:
        return all(len(run) and run[0] > 0 for run in sample.latencies_ms)
    return bool((sample.figures[figure] > 0).all())


def _value(sample: Sample, figure: str) -> float:
    if figure in PERCENTILES:
        return float(np.quantile(np.concatenate(sample.latencies_ms), PERCENTILES[figure]))
    return float(sample.figures[figure].mean())


def _drawn(sample: Sample, figure: str, draws: Draws) -> Floats:
    if figure in PERCENTILES:
        return drawn_percentiles(sample.latencies_ms, PERCENTILES[figure], draws)
    return drawn_means(sample.figures[figure], draws)


def _only(sample: Sample, trials: Sequence[int]) -> Sample:
    places = [sample.trials.index(trial) for trial in trials]
    return Sample(
        tuple(trials),
        {name: of_runs[places] for name, of_runs in sample.figures.items()},
        tuple(sample.latencies_ms[place] for place in places),
    )
