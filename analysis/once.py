"""Compute what is made of a log once: a log is frozen, and several charts ask for the same."""

from collections.abc import Callable
from functools import wraps
from typing import TypeVar
from weakref import WeakKeyDictionary

from clients.log import Log

Made = TypeVar("Made")


def once(compute: Callable[[Log], Made]) -> Callable[[Log], Made]:
    """Keep what a function returns for a log, for as long as the log itself is kept."""
    kept: WeakKeyDictionary[Log, Made] = WeakKeyDictionary()

    @wraps(compute)
    def of(log: Log) -> Made:
        if log not in kept:
            kept[log] = compute(log)
        return kept[log]

    return of
