"""An experiment: which runs, in which order, how often. Every run is on disk when it ends."""

import asyncio
import os
import platform
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeGuard
from urllib.parse import urlsplit

import msgspec
import psutil

from clients.crowd import joining_s
from clients.dialling import LOOPBACK
from clients.files import allow_files, has_line
from clients.log import Experiment, Run, Writer
from clients.meter import Tap
from clients.modes import MODES
from clients.plan import Outcome, Plan
from clients.ports import sources
from clients.run import measure
from clients.scenarios import Scenario
from clients.server import ServerError, server_at

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
            number = len(listed) + 1
            plan = Plan(number, mode, trial, setting, number, point.settings, ambition.seed)
            listed.append(plan)
    return listed


def seconds(plan: Plan) -> float:
    """Say how long a run will take, about."""
    settings = plan.settings
    at_once = MODES[plan.mode].holds or MODES[plan.mode].pushes
    drain_s = 0.1 if at_once else settings.interval_s
    crowd_s = 2 * joining_s(settings) if plan.crowd else 0.0  # and as long to leave
    return OVERHEAD_S + crowd_s + settings.warmup_s + settings.duration_s + drain_s


async def experiment(ambition: Ambition, folder: Path, watch: Watch) -> None:
    """Measure, and log into `folder`; `watch` hears of each run as it begins and as it ends.

    Raises LogError when the folder cannot be used and ServerError when the server cannot, which
    for a single run only makes it void. When cancelled, the log keeps all the rows there are, and
    the run under way is marked interrupted.
    """
    for point in ambition.scenario.points:
        allow_files(point.settings.clients, line=has_line(point.settings))
        sources(point.settings, urlsplit(ambition.url).hostname or "" if ambition.url else LOOPBACK)
    if (ambition.url or "").startswith("https:") and any(plan.crowd for plan in plans(ambition)):
        raise ServerError("the counted part of a crowd speaks no TLS: raise --sample-limit")
    if ambition.url is not None:
        async with server_at(ambition.url) as server:
            await server.stats()  # before anything is written
    writer = Writer(folder)
    description = describe(ambition)
    writer.start(description)
    taps: dict[str, Tap] = {}
    failed = 0
    for plan in plans(ambition):
        outcome = Outcome(plan)
        watch(outcome, None)
        try:
            await measure(outcome, ambition.url)
            failed = 0
        except ServerError as error:
            outcome.trouble = str(error)
            failed += 1
            if failed == MOST_FAILURES:
                raise ServerError(f"{failed} runs in a row failed, the last so: {error}") from error
        finally:
            run, requests, deliveries = outcome.rows()
            writer.add(run, requests, deliveries)
            if _better(outcome.recorder.tap, taps.get(plan.mode)):
                taps[plan.mode] = outcome.recorder.tap
                writer.wire({mode: tap.exchange() for mode, tap in taps.items()})
        watch(outcome, run)
    writer.describe(msgspec.structs.replace(description, finished=True))


def _better(tap: Tap | None, kept: Tap | None) -> TypeGuard[Tap]:
    """Say whether the bytes of `tap` are worth more: those of fewer messages, best of one."""
    return tap is not None and (kept is None or tap.messages < kept.messages)


def describe(ambition: Ambition) -> Experiment:
    """Say what is to be measured, where and with what."""
    scenario = ambition.scenario
    return Experiment(
        scenario=scenario.name,
        question=scenario.question,
        expected=scenario.expected,
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
