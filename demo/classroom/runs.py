"""The class's measured run: what each mode costs and gains in so many seconds.

Counted are the readers that report, and read from its start to its end. The counts are the
server's; the latencies are what those readers report, until the last of them may have heard of the
last message.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

from msgspec.structs import replace

from demo.classroom.chatter import Chatter
from demo.classroom.lanes import MODES, PRESENT_S, Lane, Lanes
from demo.classroom.run import Part, Run, RunRequest, result_of
from demo.classroom.settings import ClassSettings, Mode
from demo.feed import Feed

REPORTS_COME_S = 2.5  # after what they tell of: pages report every 2 s
MAX_RUNS = 20  # kept for the log


class Busy(Exception):
    """A run is being measured."""


class Runs:
    """Make runs, one at a time, and keep the last 20 of them."""

    def __init__(
        self,
        feed: Feed,
        lanes: Lanes,
        chatter: Chatter,
        now_ns: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.kept: deque[Run] = deque(maxlen=MAX_RUNS)
        self._feed = feed
        self._lanes = lanes
        self._chatter = chatter
        self._now_ns = now_ns
        self._timers: list[asyncio.TimerHandle] = []

    @property
    def current(self) -> Run | None:
        """The run being measured, or else the last one."""
        return self.kept[-1] if self.kept else None

    @property
    def running(self) -> Run | None:
        """The run being measured."""
        return self.current if self.current is not None and not self.current.ended else None

    def start(self, asked: RunRequest, settings: ClassSettings, ended: Callable[[], None]) -> Run:
        """Measure from now on, and call `ended` when it is over; raise Busy."""
        if self.running is not None:
            raise Busy("a run is being measured: wait until it has ended")
        now_ns = self._now_ns()
        parts = [_begin(lane) for lane in self._readers(settings, PRESENT_S)]
        run = Run(
            seconds=asked.seconds,
            chatter=asked.chatter,
            settings=settings,
            started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
            started_ns=now_ns,
            ends_ns=now_ns + round(asked.seconds * 1e9),
            epoch=self._feed.epoch,
            first_message=self._feed.head + 1,
            parts=parts,
            readers=frozenset((part.number, part.mode) for part in parts),
        )
        self.kept.append(run)
        self._chatter.late_ms = run.late_ms
        loop = asyncio.get_running_loop()
        self._timers = [
            loop.call_later(asked.seconds, self._end, run, ended),
            loop.call_later(asked.seconds + _reported_s(settings), self._settle, run),
        ]
        return run

    def disturb(self, what: str) -> None:
        """Say what happened to the run being measured that makes it another than was asked for."""
        if self.running is not None and what not in self.running.faults:
            self.running.faults.append(what)

    def heard(self, lane: Lane, mode: Mode, published_ns: int, latency_ms: float) -> None:
        """Count a reported delivery, if its message was published while the run was measured."""
        run = self.current
        if run is None or run.result is not None or not run.contains(published_ns):
            return
        if (lane.number, mode) in run.readers:
            total, count = run.latency_ms.get(mode, (0.0, 0))
            run.latency_ms[mode] = (total + latency_ms, count + 1)

    def shown(self) -> dict[str, object] | None:
        """Return what the page is told of the current run."""
        run = self.current
        if run is None:
            return None
        left_s = 0.0 if run.ended else max(0.0, (run.ends_ns - self._now_ns()) / 1e9)
        return {
            "seconds": run.seconds,
            "left_s": left_s,
            "chatter": run.chatter,
            "settings": run.settings,
            "result": run.result,
            "faults": run.faults,
        }

    def stop(self) -> None:
        """Set no timer off any more."""
        for timer in self._timers:
            timer.cancel()

    def _class(self, run: Run) -> list[Lane]:
        # The lanes on the projector read too, and report nothing: a run with them would miss all
        # that they got. Where nobody reports, there is still what the server counts.
        readers = self._readers(run.settings, min(PRESENT_S, run.seconds))
        present = self._lanes.present()
        return [lane for lane in readers if lane in present] or readers

    def _readers(self, settings: ClassSettings, lately_s: float) -> list[Lane]:
        # A reader that waits for its interval is there too.
        patience_s = max(lately_s, 2 * settings.interval_s)
        since = asyncio.get_running_loop().time() - patience_s
        return [
            lane
            for lane in self._lanes.by_name.values()
            if lane.mode in lane.tallies and (lane.busy or lane.seen_s >= since)
        ]

    def _end(self, run: Run, ended: Callable[[], None]) -> None:
        run.ended = True
        self._chatter.late_ms = None
        ended()
        there = {(lane.number, lane.mode): lane for lane in self._class(run)}
        for part in run.parts:
            if (part.number, part.mode) in there:
                lane = there[part.number, part.mode]
                part.after = replace(lane.tallies[part.mode])
                part.text_bytes = lane.line.text_bytes - part.text_bytes
        if self._feed.epoch != run.epoch:
            run.left_out = "the feed was restarted meanwhile"
            return
        # By their stamps: this may be called late, and then there are messages that came after.
        oldest = max(run.first_message - 1, self._feed.oldest - 1)
        messages = [each.message for each in self._feed.after(oldest)]
        inside = [message for message in messages if run.contains(message.published_ns)]
        run.text_bytes = sum(len(message.text.encode()) for message in inside)
        run.messages = inside[-1].id + 1 - run.first_message if inside else 0
        run.left_out = None if inside else "nothing was published in it"

    def _settle(self, run: Run) -> None:
        run.result = {mode: result_of(run, mode) for mode in MODES}


def _reported_s(settings: ClassSettings) -> float:
    """Say how long after a run's end its last message may have been asked for, and reported."""
    return settings.interval_s + 2 * settings.rtt_ms / 1e3 + REPORTS_COME_S


def _begin(lane: Lane) -> Part:
    return Part(lane.number, lane.mode, replace(lane.tallies[lane.mode]), lane.line.text_bytes)
