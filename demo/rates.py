"""Token buckets: so many a second, a second's worth at once, and at least one. No network here."""

from collections.abc import Callable, Hashable
from typing import NamedTuple

MAX_KEPT = 10_000  # who invents more is one of those who begin anew


class Bucket(NamedTuple):
    """How many tokens were left, and when, by the clock that fills it."""

    tokens: float
    then_s: float


def take(bucket: Bucket | None, per_s: float, now_s: float) -> tuple[bool, Bucket]:
    """Take a token, if there is one; return whether, and the bucket as it is now. None is full."""
    full = max(per_s, 1.0)
    left = full if bucket is None else bucket.tokens + (now_s - bucket.then_s) * per_s
    left = min(full, left)
    taken = left >= 1
    return taken, Bucket(left - taken, now_s)


def wait_s(bucket: Bucket, per_s: float, now_s: float) -> float:
    """Return how long it takes from now until a bucket has a token; 0 if it has one."""
    return max(0.0, (1 - bucket.tokens) / per_s - (now_s - bucket.then_s))


class Rate:
    """A bucket for each key, such as an address; `per_s` 0 is no limit."""

    def __init__(self, per_s: float, clock: Callable[[], float]) -> None:
        self._per_s = per_s
        self._most = max(per_s, 1.0)
        self._clock = clock
        self._buckets: dict[Hashable, Bucket] = {}

    def take(self, key: Hashable) -> bool:
        """Take one of a key's tokens; say whether there was one."""
        if not self._per_s:
            return True
        taken, bucket = take(self._buckets.get(key), self._per_s, self._clock())
        self._keep(key, bucket)
        return taken

    def wait_s(self, key: Hashable) -> float:
        """Return how long it takes until a key has a token, and take none; 0 if it has one."""
        return self._wait_s(key, owing=0.0)

    def owing_in_s(self, key: Hashable) -> float:
        """Return how long it takes until a key that has no token may owe one."""
        return self._wait_s(key, owing=self._most)

    def _wait_s(self, key: Hashable, owing: float) -> float:
        bucket = self._buckets.get(key)
        if bucket is None or not self._per_s:
            return 0.0
        left = bucket._replace(tokens=bucket.tokens + owing)
        return wait_s(left, self._per_s, self._clock())

    def owe(self, key: Hashable) -> bool:
        """Take a token that a key does not have: it has none until that is made up for.

        Say whether it was taken: nobody owes more than a second's worth, or one.
        """
        bucket = self._buckets.get(key)
        if bucket is None:
            return True
        if bucket.tokens - 1 < -self._most:
            return False
        self._buckets[key] = bucket._replace(tokens=bucket.tokens - 1)
        return True

    def _keep(self, key: Hashable, bucket: Bucket) -> None:
        if len(self._buckets) >= MAX_KEPT:
            self._buckets.clear()
        self._buckets[key] = bucket
