"""Show how far an experiment is, and how long it still takes."""

import asyncio
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from clients.experiment import seconds
from clients.modes import MODES
from clients.plan import Outcome, Plan
from clients.records import Run

TICK_S = 0.5  # it is drawn by the process that measures, so seldom


class Watcher:
    """Hear of each run as it begins and ends, and tell the terminal. A context manager.

    A terminal gets a bar with the seconds left; anything else gets a line for each run.
    """

    def __init__(self, console: Console, plans: list[Plan]) -> None:
        self._console = console
        self._count = len(plans)
        self._left_s = sum(map(seconds, plans))
        self._begun: tuple[float, Outcome] | None = None
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            auto_refresh=False,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._bar.add_task("", total=self._left_s, left="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._bar.stop()

    def __call__(self, outcome: Outcome, run: Run | None) -> None:
        """Take note that a run begins, of which `outcome` tells, or has ended with `run`."""
        if run is None:
            self._begun = time.monotonic(), outcome
        else:
            self._left_s -= seconds(outcome.plan)
            self._begun = None
            self._tell(outcome.plan, run)
            for line in outcome.remarks:
                self._console.print(line, markup=False, highlight=False, soft_wrap=True)
        self.draw()

    async def keep_drawing(self) -> None:
        """Draw twice a second, for ever."""
        while True:
            self.draw()
            await asyncio.sleep(TICK_S)

    def draw(self) -> None:
        """Draw the bar as things stand."""
        if self._begun is None:
            return
        since, outcome = self._begun
        plan = outcome.plan
        left_s = self._left_s - min(time.monotonic() - since, plan.together * seconds(plan))
        self._bar.update(
            self._task,
            description=f"{self._name(plan)}{connecting(outcome)}",
            completed=(self._bar.tasks[0].total or 0) - left_s,
            left=f"{left_s:.0f} s left",
        )
        self._bar.refresh()

    def _tell(self, plan: Plan, run: Run) -> None:
        if not run.valid:
            self._console.print(f"run {plan.order} is void: {run.void_because}", markup=False)
        elif not self._console.is_terminal:
            left_s = max(0, self._left_s)
            line = f"{self._name(plan)}, {left_s:.0f} s left"
            self._console.print(line, markup=False, highlight=False)

    def _name(self, plan: Plan) -> str:
        name = MODES[plan.mode].name if plan.together == 1 else "all modes at once"
        return f"run {plan.order} of {self._count}: {name}"


def connecting(outcome: Outcome) -> str:
    """Say how many clients are there, until all are."""
    attendance = outcome.attendance
    if attendance.complete:
        return ""
    return f", connecting {attendance.present:,} of {attendance.expected:,}"
