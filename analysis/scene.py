"""Choose a few typical seconds of one client, the same in every mode, for the timeline.

The modes of a trial publish on the same schedule, so the k-th message of the scene is the same
message in each of them; `shared` tells whether that holds.
"""

import itertools
import math
from itertools import pairwise

import msgspec
import numpy as np
import polars as pl

from analysis.runs import KEYS, mode_order, with_void
from clients.log import Log

INTERVALS_SHOWN, LEAST_INTERVALS = 4, 2
MESSAGES_WANTED = (3, 8)
MOST_POLLS = 16
MOST_CLIENTS, MOST_STARTS = 12, 200  # that are looked at
SAME_MOMENT = 0.03  # of the seconds shown
CLOSEST = 0.06  # of the seconds shown: messages nearer to each other are hard to tell apart


class Poll(msgspec.Struct, frozen=True):
    """A request in seconds of the scene, and whether it brought messages."""

    start_s: float
    end_s: float
    news: bool


class Arrival(msgspec.Struct, frozen=True):
    """A message in seconds of the scene; number counts from 1."""

    number: int
    published_s: float
    received_s: float


class Lane(msgspec.Struct, frozen=True):
    """What one client of one mode did and had in the scene."""

    mode: str
    polls: tuple[Poll, ...]
    arrivals: tuple[Arrival, ...]


class Scene(msgspec.Struct, frozen=True):
    """The same seconds of one client in each mode, and how many they are."""

    span_s: float
    lanes: tuple[Lane, ...]


def choose(log: Log, rows: pl.DataFrame) -> Scene | None:
    """Return a typical scene of the rows' settings and modes; None when none has a message."""
    runs = _trial(log, rows)
    if runs.is_empty():
        return None
    run = runs.row(0, named=True)
    span_s = _span_s(run)
    lanes = {row["mode"]: _lanes(log, row) for row in runs.iter_rows(named=True)}
    place = _place(lanes[run["mode"]], _starts_s(run, span_s), span_s)
    if place is None:
        return None
    client, start_s = place
    there = [cut(lane[client], start_s, span_s) for lane in lanes.values() if client in lane]
    return Scene(span_s, tuple(there))


def shared(scene: Scene) -> bool:
    """Tell whether all lanes publish at the same moments, as the modes of a trial do."""
    moments = [[each.published_s for each in lane.arrivals] for lane in scene.lanes]
    return all(
        len(here) == len(moments[0])
        and np.allclose(here, moments[0], atol=SAME_MOMENT * scene.span_s)
        for here in moments
    )


def cut(lane: Lane, start_s: float, span_s: float) -> Lane:
    """Return what of a lane touches the span, in its seconds; messages numbered from 1."""
    polls = [
        Poll(poll.start_s - start_s, poll.end_s - start_s, poll.news)
        for poll in lane.polls
        if poll.end_s >= start_s and poll.start_s < start_s + span_s
    ]
    inside = [each for each in lane.arrivals if 0 <= each.published_s - start_s < span_s]
    arrivals = [
        Arrival(number, each.published_s - start_s, each.received_s - start_s)
        for number, each in enumerate(inside, 1)
    ]
    return Lane(lane.mode, tuple(polls), tuple(arrivals))


def _trial(log: Log, rows: pl.DataFrame) -> pl.DataFrame:
    """Return the runs of the first trial that has most modes, in the modes' order."""
    runs = (
        with_void(log.runs)
        .filter("averaged", pl.col("window_start_ns").is_not_null(), pl.col("deliveries") > 0)
        .join(rows, on=KEYS, how="semi")
    )
    runs = runs.with_columns(modes=pl.len().over("trial"))
    runs = runs.sort("modes", "trial", mode_order(), descending=[True, False, False])
    return runs.filter(pl.col("trial") == pl.col("trial").first())


def _span_s(run: dict[str, float]) -> float:
    """Return a span of four intervals; fewer when messages are many, more when they are rare.

    Where nobody pauses between polls, the messages alone say how long it is.
    """
    interval_s, rate = run["interval_s"], max(run["rate_per_s"], 1e-9)
    few, many = (count / rate for count in MESSAGES_WANTED)
    most_s = INTERVALS_SHOWN * interval_s or math.inf
    usual_s = min(most_s, max(many, LEAST_INTERVALS * interval_s))
    rare_s = min(few, MOST_POLLS * interval_s)
    return float(min(max(usual_s, rare_s), run["duration_s"]))


def _starts_s(run: dict[str, float], span_s: float) -> list[float]:
    last_s = run["duration_s"] - span_s
    return [float(at) for at in np.arange(0, max(last_s, 0) + 1e-9, span_s / 16)][:MOST_STARTS]


def _place(
    judged: dict[int, Lane], starts_s: list[float], span_s: float
) -> tuple[int, float] | None:
    """Return whose lane is to be shown from when on; None where no message would be seen."""
    waits_s = [wait for lane in judged.values() for wait in _waits_s(lane)]
    if not waits_s:
        return None
    usual_s = float(np.mean(waits_s))

    def oddness(place: tuple[int, float]) -> float:
        client, start_s = place
        return _oddness(cut(judged[client], start_s, span_s), span_s, usual_s)

    best = min(itertools.product(judged, starts_s), key=oddness)
    return None if math.isinf(oddness(best)) else best


def _lanes(log: Log, run: dict[str, int]) -> dict[int, Lane]:
    """Return the lanes of a run's first clients, in seconds of its window."""
    here = pl.col("run") == run["run"], pl.col("client") <= MOST_CLIENTS

    def second(stamp: str) -> pl.Expr:
        return (pl.col(stamp) - run["window_start_ns"]) / 1e9

    news = pl.col("messages") > 0
    polls = log.requests.filter(here).select(
        "client", second("started_ns"), second("ended_ns"), news
    )
    arrivals = log.deliveries.filter(here).sort("published_ns", "message")
    arrivals = arrivals.select("client", "message", second("published_ns"), second("received_ns"))
    made: dict[int, tuple[list[Poll], list[Arrival]]] = {}
    for client, *poll in polls.sort("started_ns").iter_rows():
        made.setdefault(client, ([], []))[0].append(Poll(*poll))
    for client, *arrival in arrivals.iter_rows():
        made.setdefault(client, ([], []))[1].append(Arrival(*arrival))
    mode = str(run["mode"])
    return {client: Lane(mode, tuple(a), tuple(b)) for client, (a, b) in sorted(made.items())}


def _waits_s(lane: Lane) -> list[float]:
    return [each.received_s - each.published_s for each in lane.arrivals]


def _oddness(lane: Lane, span_s: float, usual_s: float) -> float:
    """Return how far a span is from what one would like to show; 0 is a model of its kind."""
    few, many = MESSAGES_WANTED
    count = len(lane.arrivals)
    if count == 0:
        return math.inf
    at_s = [0.0, *(each.published_s for each in lane.arrivals), span_s]
    closest = min(b - a for a, b in pairwise(at_s)) / span_s
    news = [poll.news for poll in lane.polls]
    return (
        max(few - count, count - many, 0)
        + 3 * abs(float(np.mean(_waits_s(lane))) / usual_s - 1)
        + 3 * max(0.0, 1 - closest / CLOSEST)
        + 2 * (all(news) or not any(news))
        + 2 * any(each.received_s > span_s for each in lane.arrivals)
    )
