"""Estimate from an experiment's good runs what one step of each mode costs. No theory here.

A run's server time is a sum over what the server did in the window: empty polls, polls with news,
pushes, publishes, and being there. Runs of different rates and intervals did these in different
shares, so least squares tell them apart.
"""

from itertools import chain, combinations

import numpy as np
import polars as pl

from analysis.break_even import Poll, StepCosts, frame_head_bytes
from analysis.modes import MODES, POLLS
from analysis.runs import NO_CONTENT, OK, PLAIN, UNDISTURBED, figures_of_runs, is_poll
from analysis.theory import Floats
from analysis.unit_costs import unit_costs
from clients.log import Log

STEPS = ("empty", "short_news", "long_news", "pushes", "messages")
IDLE = "window_s"
OFF = "off"
LEAST_SETTINGS = 2
OF_MODES = 4  # of the steps: what a mode does; the last is publishing, the same in each
MOST_ERROR = 0.5  # standard error of a step's cost over the cost, from which it is not known
ALIKE, TINY = 1e-6, 1e-12  # what is less is nothing, of a share and of a count


def step_costs(log: Log, payload_bytes: int) -> StepCosts | None:
    """Return what steps cost, heads and frames at one payload; None with too few settings.

    Of plain runs: how often a step is taken elsewhere, the maps' theory would say of another kind.
    """
    runs = counted(log).filter(PLAIN)
    alike = runs.filter(pl.col("payload_bytes") == payload_bytes)
    if set(alike["mode"]) != set(MODES) or runs["setting"].n_unique() < LEAST_SETTINGS:
        return None
    us = _cpu_us(runs)
    if us is None:
        return None
    message_bytes = _message_bytes(alike)
    heads = {mode: _heads(log, alike, mode, message_bytes) for mode in POLLS}
    polls = {
        mode: Poll(us["empty"], us[f"{mode}_news"], *head) for mode, head in heads.items() if head
    }
    if len(polls) < len(heads):
        return None
    frame_bytes = frame_head_bytes(message_bytes)
    stack_s = _stack_s(log, alike)
    return StepCosts(polls, us["pushes"], frame_bytes, message_bytes, stack_s, us[OFF])


def counted(log: Log) -> pl.DataFrame:
    """Return how often each of STEPS was taken in the window of each good run of the usual kind.

    By all clients, whom the server's time is that of: a crowd that is only counted leaves no rows
    of its polls, and is taken to have asked as often as those that were measured.
    """
    runs = figures_of_runs(log).filter(~pl.col("void"), "keepalive", ~pl.col("deflate"))
    runs = runs.filter(UNDISTURBED, pl.col("server_cpu_s") > 0)
    of_all = pl.col("clients") / (pl.col("clients") - pl.col("crowd_clients"))
    news = (pl.col("responses") - pl.col("empty")) * of_all
    counts = {
        "empty": pl.when(is_poll()).then(pl.col("empty") * of_all),
        "short_news": pl.when(pl.col("mode") == "short").then(news),
        "long_news": pl.when(pl.col("mode") == "long").then(news),
        "pushes": pl.when(~is_poll()).then("served"),
    }
    return runs.with_columns(**{name: count.fill_null(0) for name, count in counts.items()})


def _cpu_us(runs: pl.DataFrame) -> dict[str, float] | None:
    """Return microseconds for each step, and OFF; None when the runs cannot tell them apart.

    Every run counts by how far it is off in per cent, the cheap ones as much as the dear ones.
    """
    cpu_us = runs["server_cpu_s"].to_numpy() * 1e6
    counts = runs.select(*STEPS, IDLE).to_numpy().astype(float) / cpu_us[:, np.newaxis]
    scaled = counts / np.maximum(counts.max(axis=0), TINY)
    rank = np.linalg.matrix_rank(scaled[:, : len(STEPS)], ALIKE)
    if len(counts) <= counts.shape[1] or rank < len(STEPS):
        return None
    costs = non_negative(counts, np.ones_like(cpu_us))
    misses = counts @ costs - 1
    errors = _standard_errors(counts, misses)
    if any(errors[:OF_MODES] >= MOST_ERROR * costs[:OF_MODES]):
        return None
    off = float(np.sqrt((misses**2).mean()))
    return {**dict(zip(STEPS, costs.tolist(), strict=False)), OFF: off}


def _standard_errors(counts: Floats, misses: Floats) -> Floats:
    """Return how uncertain each cost is: the square roots of s^2 (X'X)^-1."""
    variance = (misses @ misses) / (len(counts) - counts.shape[1])
    return np.asarray(np.sqrt(variance * np.diag(np.linalg.pinv(counts.T @ counts))))


def non_negative(counts: Floats, total: Floats) -> Floats:
    """Return the least-squares costs, none below zero, of a few steps: counts @ costs = total.

    The best of all is the plain solution of those steps that it does not set to zero (Lawson and
    Hanson, Solving Least Squares Problems, 23), so the few subsets are tried one by one.
    """
    steps = range(counts.shape[1])
    best, least = np.zeros(len(steps)), float(total @ total)
    for some in chain.from_iterable(combinations(steps, size) for size in steps[1:]):
        best, least = _better(counts, total, list(some), (best, least))
    return _better(counts, total, list(steps), (best, least))[0]


def _better(
    counts: Floats, total: Floats, some: list[int], so_far: tuple[Floats, float]
) -> tuple[Floats, float]:
    costs = np.zeros(counts.shape[1])
    costs[some] = np.linalg.lstsq(counts[:, some], total, rcond=None)[0]
    off = float(((counts @ costs - total) ** 2).sum())
    return (costs, off) if (costs >= 0).all() and off < so_far[1] else so_far


def _message_bytes(runs: pl.DataFrame) -> float:
    """Return a message's JSON: what frames of whole sessions carried, for each delivery."""
    sessions = runs.filter(~is_poll())
    return float(
        sessions.select(pl.col("body_bytes").sum() / pl.col("all_deliveries").sum()).item()
    )


def _heads(
    log: Log, runs: pl.DataFrame, mode: str, message_bytes: float
) -> tuple[float, float, float] | None:
    """Return a poll's bytes without messages: request, empty response, response with news."""
    polls = runs.filter(is_poll()).select("run", "mode")
    asked = log.requests.join(polls, on="run")
    empty = asked.filter(pl.col("status") == NO_CONTENT)["bytes_down"].mean()  # of either mode
    news = asked.filter(pl.col("mode") == mode, pl.col("status") == OK)
    envelope = pl.col("bytes_down") - message_bytes * pl.col("messages")
    request, full = news.select(pl.col("bytes_up").mean(), envelope.mean()).row(0)
    if request is None or empty is None:
        return None
    return request, float(empty), full  # type: ignore[arg-type]


def _stack_s(log: Log, runs: pl.DataFrame) -> float:
    """Return the client's time from an answer to its next long poll: the gap without its R."""
    costs = unit_costs(log).join(runs.filter(pl.col("mode") == "long"), on="run", how="semi")
    stack_s = (costs["rearm_s"] - 2 * costs["transit_s"]).median()
    return max(0.0, float(stack_s or 0.0))  # type: ignore[arg-type]
