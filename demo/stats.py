"""Counters of the server: what each mode cost, counted where it happened."""

import time
from typing import Any

import msgspec
import psutil
from aiohttp import web

from demo.lag import Lag
from demo.metering import meter_of
from demo.refusals import Refusals
from demo.tally import Tally, total


class Stats:
    """The counters of every mode, of publishing, and of all other requests."""

    def __init__(self, modes: list[str]) -> None:
        self.modes = {mode: Tally() for mode in modes}
        self._shares: dict[str, list[Tally]] = {mode: [] for mode in modes}
        self.publish = Tally()
        self.other = Tally()
        self.refusals = Refusals()
        self.process = psutil.Process()
        self.lag = Lag()
        self._started = time.monotonic()

    def share(self, mode: str) -> Tally:
        """Return new counters, of one reader, that the mode's totals contain."""
        tally = Tally()
        self._shares[mode].append(tally)
        return tally

    def fold(self, mode: str, share: Tally) -> None:
        """Keep what a reader's counters say, and no longer whose it was."""
        self._shares[mode] = [tally for tally in self._shares[mode] if tally is not share]
        self.modes[mode].add(share)  # which handlers have in hand, and go on counting in

    def snapshot(self) -> dict[str, Any]:
        """All counters as JSON types.

        cpu_s: the process's user and system time; rss_bytes: its memory
        loop_lag_max_ms: by how much its event loop was late at most in the last 10 seconds
        limits: how often each limit was met, see refusals.py
        """
        return {
            "uptime_s": time.monotonic() - self._started,
            "cpu_s": time.process_time(),
            "rss_bytes": self.process.memory_info().rss,
            "loop_lag_max_ms": self.lag.max_ms,
            "modes": {mode: msgspec.to_builtins(self._total(mode)) for mode in self.modes},
            "publish": msgspec.to_builtins(self.publish),
            "other": msgspec.to_builtins(self.other),
            "limits": msgspec.to_builtins(self.refusals),
        }

    def _total(self, mode: str) -> Tally:
        return total([self.modes[mode], *self._shares[mode]])


STATS = web.AppKey("STATS", Stats)
COUNTED = web.RequestKey("COUNTED", bool)


def begin(request: web.Request, tally: Tally) -> Tally:
    """Count a request and the bytes of its connection for `tally`, and note that on the request.

    The rest of its body, too, when that comes later than its answer.
    """
    request[COUNTED] = True
    count(request, tally)
    if request.body_exists and (meter := meter_of(request)) is not None:
        request.content.on_eof(meter.settle)
    return tally


def count(request: web.Request, tally: Tally) -> Tally:
    """Count the same where nobody will ask for the note, which a held poll would keep."""
    tally.requests += 1
    meter = meter_of(request)
    if meter is not None:
        meter.claim(tally)
    return tally


def counted(request: web.Request) -> bool:
    """Say whether a handler has counted the request."""
    return COUNTED in request
