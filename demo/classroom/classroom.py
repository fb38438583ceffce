"""The class: its settings, its readers and what they report, and what the teacher does with it.

The HTTP of it is in routes.py; without the teacher's token those routes change nothing here.
"""

import itertools
import random
import time
from collections.abc import Callable

from aiohttp import web

from demo.bounds import Bounds
from demo.classroom.chatter import Chatter
from demo.classroom.guesses import Guesses
from demo.classroom.lanes import MODES, Lanes
from demo.classroom.line import LineChange
from demo.classroom.log import Material
from demo.classroom.overview import Overview
from demo.classroom.reports import Reports
from demo.classroom.run import Run, RunRequest
from demo.classroom.runs import Runs
from demo.classroom.settings import ClassSettings, Level, Mode, changed
from demo.classroom.token import Token
from demo.feed import Feed
from demo.sharing import Durable
from demo.stats import Stats

OVERVIEW_S = 0.5  # how old the overview may be: a class that asks for it costs no more than one


class Classroom:
    """All that the class shares."""

    def __init__(
        self,
        feed: Feed,
        stats: Stats,
        token: Token,
        now_ns: Callable[[], int] = time.perf_counter_ns,
        durable: Durable | None = None,
        bounds: Bounds = Bounds(),
    ) -> None:
        self.feed = feed
        self.token = token
        self.now_ns = now_ns
        self.settings = ClassSettings()
        self._chatter_after: Level | None = None  # the run; None: as it is then
        self.join_url: str | None = None
        self.lanes = Lanes(stats, lambda: self.settings.rtt_ms / 1e3, bounds)
        self.chatter = Chatter((durable or feed).publish, random.Random(), now_ns)
        self.runs = Runs(feed, self.lanes, self.chatter, now_ns)
        self.reports = Reports(self.lanes, self.runs, now_ns)
        self.guesses = Guesses(self.lanes)
        self._durable = durable
        self._overview = Overview(self.lanes, self.reports)
        self._modes: tuple[float, dict[Mode, dict[str, float | int | None]]] = (float("-inf"), {})
        self._turns = itertools.cycle(MODES)

    def shown(self, now_s: float, *, teacher: bool) -> dict[str, object]:
        """Return what GET /class answers."""
        revealed = self.settings.stage == "reveal"
        return {
            "now_ns": self.now_ns(),
            "epoch": self.feed.epoch,
            "head": self.feed.head,
            "settings": self.settings,
            "teacher": teacher,
            "join_url": self.join_url,
            "modes": self._recent_modes(now_s),
            "uncounted": self.lanes.uncounted,
            "suggest": self._suggest(),
            "guesses": self.guesses.shown(revealed=revealed),
            "run": self.runs.shown(),
        }

    def shown_to_reader(self) -> dict[str, object]:
        """Return what a report is answered with."""
        return {
            "settings": self.settings,
            "now_ns": self.now_ns(),
            "epoch": self.feed.epoch,
            "head": self.feed.head,
            "stage": self.settings.stage,
            "run": self.runs.shown(),
        }

    def change(self, changes: dict[str, object]) -> ClassSettings:
        """Set what the teacher sets; raise ValueError where it cannot be."""
        before = self.settings
        self._set(changes)
        if "chatter" in changes:
            self._chatter_after = None
        if changes.keys() - {"stage"} and self.settings != before:
            self.runs.disturb("settings were changed meanwhile")
        return self.settings

    async def restart(self) -> None:
        """Let the feed begin anew; raise Away if that cannot be written down."""
        self.runs.disturb("the feed was restarted meanwhile")
        if self._durable is None:
            self.feed.restart()
        else:
            await self._durable.restart()

    def change_line(self, reader: str, change: LineChange) -> None:
        """Do something to a reader's line; raise KeyError when there is no such reader."""
        lane = self.lanes.by_name[reader]
        self.runs.disturb("a reader's line was cut, stalled or slowed meanwhile")
        lane.line.change(change)

    def start(self, asked: RunRequest) -> Run:
        """Begin a measured run; raise Busy while there is one."""
        run = self.runs.start(asked, self.settings, self._chat_as_before)
        self._chatter_after = self.settings.chatter
        self._set({"stage": "run", "chatter": asked.chatter})
        return run

    def material(self) -> Material:
        """Return what a log can be made of, as it is now."""
        modes = self._overview.modes()
        return Material(
            [run for run in self.runs.kept if run.result is not None],
            self.reports.requests.copy(),
            self.reports.deliveries.copy(),
            self.lanes.served.copy(),
            {mode: modes[mode]["clock_error_ms"] for mode in MODES},
            self.join_url,
        )

    def stop(self) -> None:
        """Publish and measure nothing more: the server stops."""
        self.chatter.stop()
        self.runs.stop()

    def _set(self, changes: dict[str, object]) -> None:
        """Change settings; the chatter is always what they say, and so is the round of guesses."""
        before, self.settings = self.settings, changed(self.settings, changes)
        self.guesses.turn(self.settings.stage)
        if self.settings.chatter != before.chatter:
            self.chatter.set(self.settings.chatter)

    def _chat_as_before(self) -> None:
        if self._chatter_after is not None:  # else the teacher has set another meanwhile
            self._set({"chatter": self._chatter_after})

    def _recent_modes(self, now_s: float) -> dict[Mode, dict[str, float | int | None]]:
        if now_s - self._modes[0] > OVERVIEW_S:
            self._modes = (now_s, self._overview.modes())
        return self._modes[1]

    def _suggest(self) -> Mode:
        # Whoever asks gets the next of the least used: a class that joins at once is spread.
        figures = self._modes[1]
        counts = {mode: figures[mode]["readers"] or 0 for mode in figures}
        fewest = [mode for mode in MODES if counts[mode] == min(counts.values())]
        return next(mode for mode in self._turns if mode in fewest)


CLASSROOM = web.AppKey("CLASSROOM", Classroom)
