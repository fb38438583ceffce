"""Answer a scenario's question in a sentence made from its figures. No figure is measured here.

A row without a good run does not speak; where the others do not bear a sentence, there is none.
"""

from collections.abc import Callable

import polars as pl

from analysis.answers.line import distance, faults, rfc6202, stall
from analysis.answers.overview import chat, quick, theory
from analysis.answers.polling import hold, interval, rate, reconnect
from analysis.answers.server import crowd, deflate, payload
from clients.log import Log

Answer = Callable[[Log, pl.DataFrame], str | None]
ANSWERS: dict[str, Answer] = {
    "quick": quick,
    "chat": chat,
    "interval": interval,
    "distance": distance,
    "rate": rate,
    "hold": hold,
    "payload": payload,
    "reconnect": reconnect,
    "deflate": deflate,
    "crowd": crowd,
    "theory": theory,
    "stall": stall,
    "faults": faults,
    "rfc6202": rfc6202,
}


def answer(log: Log, rows: pl.DataFrame) -> str | None:
    """Return the answer to the experiment's question; None when its figures give none.

    rows: as `rows.rows` returns them
    """
    say = ANSWERS.get(log.experiment.scenario)
    good = rows.filter(~pl.col("void"))
    return say(log, good) if say is not None and good.height else None
