"""One run: a fresh server process, one mode, one setting, N clients."""

import asyncio
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import psutil

from clients.attendance import wait_for_all
from clients.checks import continuity
from clients.errors import ServerError
from clients.files import has_line
from clients.instrument import Instrument, quantile
from clients.plan import Outcome, Plan
from clients.ports import sources
from clients.processes import child, fresh_server, linked
from clients.publishing import begin_publishing, publish_facts, published
from clients.readers import Stage, readers
from clients.records import Settings
from clients.server import Stats, server_at
from clients.timing import sleep_until

SEEN = 0.5  # share of a window that the server's own figures must span
EARLY_NS = 20_000_000  # the server is asked for its figures before the messages at a window's ends
PATIENCE_S = 30.0  # with clients that are not there yet
DRAIN_TIMEOUT_S = 3.0
DRAIN_PER_CLIENT_S = 0.001  # a long poll of each may be under way, and a further one follow
GOODBYE_TIMEOUT_S = 4.0


async def measure(outcome: Outcome, url: str | None = None) -> None:
    """Carry out a run and note in `outcome` what is seen, as it is seen.

    Measures the server at `url`, or a fresh one. Raises ServerError when there is none.
    """
    async with _stage(outcome.plan, url) as stage:
        await _measure(outcome, stage)


@asynccontextmanager
async def _stage(plan: Plan, url: str | None) -> AsyncIterator[Stage]:
    settings = plan.settings
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        publisher = await enter(child("clients.publisher"))
        crowd = [await enter(child("clients.crowd")) for _ in plan.shares]
        server = await enter(fresh_server(settings) if url is None else server_at(url))
        address, link = server.url, None
        addresses = sources(settings, plan.mode, urlsplit(address).hostname or "")
        if has_line(settings):
            address, link = await enter(linked(address, settings, plan.name, addresses))
        yield Stage(server, address, publisher, tuple(crowd), link, addresses)


async def _measure(outcome: Outcome, stage: Stage) -> None:
    plan, facts, server = outcome.plan, outcome.facts, stage.server
    before = await server.stats()
    facts["server_rss_before_bytes"] = before.rss_bytes if server.is_fresh else None
    async with readers(outcome, stage, before) as reading:
        await wait_for_all(outcome.attendance, server, plan.mode, before, PATIENCE_S)
        facts |= await begin_publishing(stage.publisher, server.url, plan)
        await _watch_window(outcome, stage)
        publishes = await published(stage.publisher, plan)
        await asyncio.wait(reading, timeout=turn_s(plan.settings) + DRAIN_TIMEOUT_S)
    goodbye_s = GOODBYE_TIMEOUT_S + 2 * plan.settings.longest_round_trip_s
    after = await server.wait_for_goodbyes(plan.mode, goodbye_s)
    facts |= _server_counts(before, after, plan.mode)
    facts |= publish_facts(outcome, publishes)
    facts |= _continuity(outcome, range(before.head + 1, after.head + 1))
    facts["interrupted"] = False


async def _watch_window(outcome: Outcome, stage: Stage) -> None:
    facts, settings = outcome.facts, outcome.plan.settings
    await sleep_until(facts["window_start_ns"] - EARLY_NS)
    start = await stage.server.stats()
    others = {"crowd_cpu_share": stage.crowd, "link_cpu_share": (stage.link,)}
    begun_s = {name: [*map(cpu_s, processes)] for name, processes in others.items()}
    begun_ns = time.perf_counter_ns()
    async with Instrument() as instrument:
        if settings.stall_s:
            await asyncio.sleep((settings.duration_s - settings.stall_s) / 2)
            await stage.server.stall(settings.stall_s)
        await sleep_until(facts["window_end_ns"] - EARLY_NS)
    facts |= _seen_of_server(start, await stage.server.stats(), outcome.plan)
    facts["client_cpu_share"] = instrument.cpu_share
    facts["client_lag_p99_ms"] = quantile(instrument.lags_ms, 0.99)
    span_s = (time.perf_counter_ns() - begun_ns) / 1e9
    for name, processes in others.items():
        facts[name] = busiest(begun_s[name], map(cpu_s, processes), span_s)


def _seen_of_server(start: Stats, end: Stats, plan: Plan) -> dict[str, Any]:
    """Return what the server says of the window; raise ServerError when it says so too late."""
    # A busy server says so late, and of more than the window; its own clock tells how much.
    late = (end.uptime_s - start.uptime_s) / plan.settings.duration_s
    if late < SEEN:
        raise ServerError(
            "the server answered so late that its window could not be seen: try fewer --clients"
        )
    alone = _is_alone(start, end, plan.mode)
    return {
        "server_cpu_s": (end.cpu_s - start.cpu_s) / late if alone else None,
        "server_rss_bytes": end.rss_bytes,
        "server_lag_max_ms": end.loop_lag_max_ms,
    }


def _is_alone(start: Stats, end: Stats, mode: str) -> bool:
    """Tell whether nobody read in another mode; who reads in the same is seen by the counts."""
    return all(end.modes[other] == start.modes[other] for other in start.modes if other != mode)


def busiest(
    begun_s: Iterable[float | None], ended_s: Iterable[float | None], duration_s: float
) -> float | None:
    """Return the share of a core that the busiest of some processes took; None without any."""
    spans = zip(begun_s, ended_s, strict=True)
    took_s = [end - begin for begin, end in spans if begin is not None and end is not None]
    return max(took_s) / duration_s if took_s else None


def cpu_s(process: Process | None) -> float | None:
    """Return the CPU time of a process; None where there is none, or none any more."""
    if process is None:
        return None
    try:
        times = psutil.Process(process.pid).cpu_times()
    except psutil.NoSuchProcess:
        return None
    return times.user + times.system


def _continuity(outcome: Outcome, ids: range) -> dict[str, int]:
    plan, census = outcome.plan, outcome.census
    if census is None:
        raise ServerError("clients.crowd ended without a report: try fewer --clients")
    seen = continuity(outcome.recorder.deliveries, plan.sampled, ids)
    return {
        "lost": seen.lost + plan.crowd * len(ids) - census.deliveries + census.duplicates,
        "duplicates": seen.duplicates + census.duplicates,
        "out_of_order": seen.out_of_order + census.out_of_order,
    }


def _server_counts(before: Stats, after: Stats, mode: str) -> dict[str, int]:
    was, now = before.modes[mode], after.modes[mode]
    names = ("requests", "deliveries", "bytes_in", "bytes_out")
    return {f"server_{name}": getattr(now, name) - getattr(was, name) for name in names}


def turn_s(settings: Settings) -> float:
    """Return how long it takes, about, until each reader has had its turn to get a message."""
    round_trips_s = 4 * settings.longest_round_trip_s
    return settings.interval_s + round_trips_s + DRAIN_PER_CLIENT_S * settings.clients
