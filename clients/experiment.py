"""An experiment: which runs, in which order, how often. Every run is on disk when it ends."""

import asyncio
import os
import platform
import random
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeGuard

import msgspec
import psutil

from clients.alike import expected
from clients.crowd import joining_s
from clients.errors import ServerError
from clients.faults.measuring import measure as measure_with_faults
from clients.files import allow_files, has_line
from clients.meter import Tap
from clients.modes import MODES
from clients.plan import Outcome, Plan
from clients.records import Experiment, Run
from clients.refusals import refuse
from clients.run import measure
from clients.scenarios import Scenario
from clients.server import server_at
from clients.writing import Writer

OVERHEAD_S = 0.8  # of a run: starting the processes, connecting, stopping
MOST_FAILURES = 3  # runs in a row that may fail before no more are tried
MEASURED_WITH = ("aiohttp", "uvloop", "msgspec", "polars", "numpy", "matplotlib", "psutil")


class Ambition(msgspec.Struct, frozen=True):
    """What to measure: a scenario, as the options have changed it."""

    scenario: Scenario
    seed: int
    url: str | None = None


Watch = Callable[[Outcome, Run | None], None]


def plans(ambition: Ambition) -> list[Plan]:
    """List the runs: within each trial every setting and mode once, in random order."""
    chance = random.Random(ambition.seed)
    listed: list[Plan] = []
    for trial in range(1, ambition.scenario.trials + 1):
        points = list(enumerate(ambition.scenario.points))
        runs = [(n, point, mode) for n, point in points for mode in point.modes]
        chance.shuffle(runs)
        for setting, point, mode in runs:
            n, seed = len(listed) + 1, ambition.seed
            together = len(point.modes) if point.settings.faults_per_s else 1
            listed.append(Plan(n, mode, trial, setting, n, point.settings, seed, together))
    return listed


def sessions(listed: Iterable[Plan]) -> list[list[Plan]]:
    """Return which runs are measured at once: where faults come, all modes of a trial and setting.

    So that the same faults meet all of them. Any other run has a server of its own.
    """
    found: dict[tuple[int, ...], list[Plan]] = {}
    for plan in listed:
        alone = (plan.run,) if plan.together == 1 else ()
        found.setdefault((plan.trial, plan.setting, *alone), []).append(plan)
    return list(found.values())


def seconds(plan: Plan) -> float:
    """Say how long a run will take, about; its share, where several are measured at once."""
    settings = plan.settings
    at_once = MODES[plan.mode].holds or MODES[plan.mode].pushes
    drain_s = 0.1 if at_once else settings.interval_s
    crowd_s = 2 * joining_s(settings) if plan.crowd else 0.0  # and as long to leave
    whole_s = OVERHEAD_S + crowd_s + settings.warmup_s + settings.duration_s + drain_s
    return whole_s / plan.together


async def experiment(ambition: Ambition, folder: Path, watch: Watch) -> None:
    """Measure, and log into `folder`; `watch` hears of each run as it begins and as it ends.

    Raises LogError when the folder cannot be used and ServerError when the server cannot, which
    for a single run only makes it void. When cancelled, the log keeps all the rows there are, and
    the run under way is marked interrupted.
    """
    await _make_sure(ambition)
    writer = Writer(folder)
    description = describe(ambition)
    writer.start(description)
    taps: dict[str, Tap] = {}
    failed = 0
    for session in sessions(plans(ambition)):
        outcomes = [Outcome(plan) for plan in session]
        watch(outcomes[0], None)
        try:
            await _carry_out(outcomes, ambition.url)
            failed = 0
        except ServerError as error:
            for outcome in outcomes:
                outcome.trouble = str(error)
            failed += 1
            if failed == MOST_FAILURES:
                raise ServerError(f"{failed} runs in a row failed, the last so: {error}") from error
        finally:
            made = [_write(writer, outcome, taps) for outcome in outcomes]
        for outcome, run in zip(outcomes, made, strict=True):
            watch(outcome, run)
    writer.describe(msgspec.structs.replace(description, finished=True))


async def _make_sure(ambition: Ambition) -> None:
    """Raise ServerError when a run cannot be made, before anything is written."""
    for plan in {plan.settings: plan for plan in plans(ambition)}.values():
        allow_files(plan.connections, line=has_line(plan.settings))
        refuse(plan, ambition.url)
    if ambition.url is not None:
        async with server_at(ambition.url) as server:
            await server.stats()


async def _carry_out(outcomes: Sequence[Outcome], url: str | None) -> None:
    if outcomes[0].plan.settings.faults_per_s:
        await measure_with_faults(outcomes, url)
    else:
        await measure(outcomes[0], url)


def _write(writer: Writer, outcome: Outcome, taps: dict[str, Tap]) -> Run:
    """Write what is known of a run, and return its row."""
    run, requests, deliveries = outcome.rows()
    if outcome.plan.settings.faults_per_s:
        writer.add_beside(outcome.faults, outcome.naive.requests, outcome.naive.deliveries)
    writer.add(run, requests, deliveries)
    mode = outcome.plan.mode
    if _better(outcome.recorder.tap, taps.get(mode)):
        taps[mode] = outcome.recorder.tap
        writer.wire({mode: tap.exchange() for mode, tap in taps.items()})
    return run


def _better(tap: Tap | None, kept: Tap | None) -> TypeGuard[Tap]:
    """Say whether the bytes of `tap` are worth more: those of fewer messages, best of one."""
    return tap is not None and (kept is None or tap.messages < kept.messages)


def describe(ambition: Ambition) -> Experiment:
    """Say what is to be measured, where and with what."""
    scenario = ambition.scenario
    return Experiment(
        scenario=scenario.name,
        question=scenario.question,
        expected=expected(scenario),
        source=scenario.source,
        modes=tuple(dict.fromkeys(mode for point in scenario.points for mode in point.modes)),
        settings=tuple(point.settings for point in scenario.points),
        trials=scenario.trials,
        seed=ambition.seed,
        url=ambition.url,
        started_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=_machine(),
        versions={"python": platform.python_version(), **_versions()},
        clock_resolution_ns=time.get_clock_info("perf_counter").resolution * 1e9,
    )


def _machine() -> dict[str, Any]:
    return {
        "system": platform.system(),
        "release": platform.release(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "event_loop": type(asyncio.get_event_loop()).__name__,
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in MEASURED_WITH:
        try:
            found[name] = version(name)
        except ModuleNotFoundError:
            continue
    return found
