"""One run: a fresh server process, one mode, one setting, N clients."""

import asyncio
import random
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from clients.checks import continuity, reasons
from clients.client import Client
from clients.instrument import Instrument, quantile
from clients.log import Delivery, Request, Run, Settings
from clients.modes import MODES
from clients.pace import Pace
from clients.publisher import Order, Publish
from clients.recorder import Ledger, Recorder
from clients.schedule import Schedule, make_schedule
from clients.server import Server, Stats, child, fresh_server, link_to, server_at
from demo.message import MAX_TEXT_BYTES, encode

LEAD_S = 0.1  # from the order to the first publish
CONNECT_TIMEOUT_S = 60.0
CONNECT_BATCH = 50
DRAIN_TIMEOUT_S = 3.0
GOODBYE_TIMEOUT_S = 4.0


class Plan(msgspec.Struct, frozen=True):
    """Which run of an experiment this is. Runs of a trial and rate share one publish schedule."""

    run: int
    mode: str
    trial: int
    setting: int
    order: int
    settings: Settings
    seed: int

    @property
    def schedule(self) -> Schedule:
        """When to publish: the same for every mode of a trial, and every setting of one rate."""
        return make_schedule(self.settings, f"{self.seed}/{self.trial}")

    def pace(self, client: int) -> Pace:
        """How one client paces itself: its phase is random, and the same whenever repeated."""
        chance = random.Random(f"{self.seed}/{self.run}/{client}")
        interval_s = self.settings.interval_s
        return Pace(interval_s, chance.uniform(0, interval_s), self.settings.hold_s)


class Outcome:
    """What is known of a run so far; `rows` can be written at any time, and are never less."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.recorder = Recorder(plan.run)
        self.facts: dict[str, Any] = {"interrupted": True}
        self._started = datetime.now(UTC)

    def rows(self) -> tuple[Run, list[Request], list[Delivery]]:
        """Return the run's row, with its verdict, and the rows of its events."""
        run = Run(
            **{name: getattr(self.plan, name) for name in PLANNED},
            **msgspec.structs.asdict(self.plan.settings),
            started_utc=self._started.isoformat(timespec="seconds"),
            **self._totals(),
            **self.facts,
        )
        void = reasons(run)
        run = msgspec.structs.replace(run, valid=not void, void_because="; ".join(void))
        return run, self.recorder.requests, self.recorder.deliveries

    def _totals(self) -> dict[str, Any]:
        requests = [row for row in self.recorder.requests if row.bytes_up]
        ledger = self._ledger()
        return {
            "requests": len(requests),
            "deliveries": len(self.recorder.deliveries),
            "connections": len({row.connection for row in requests}),
            "bytes_up": sum(row.bytes_up for row in requests),
            "bytes_down": sum(row.bytes_down for row in requests),
            **msgspec.structs.asdict(ledger),
        }

    def _ledger(self) -> Ledger:
        # Of the requests that the window counts; a WebSocket's session counts whole.
        start, end = self.facts.get("window_start_ns", 0), self.facts.get("window_end_ns", 0)
        total = Ledger()
        for row, ledger in zip(self.recorder.requests, self.recorder.ledgers, strict=True):
            if row.status == 101 or start <= row.started_ns < end:
                total.add(ledger)
        return total


PLANNED = ("run", "mode", "trial", "setting", "order", "seed")


async def measure(outcome: Outcome, url: str | None = None) -> None:
    """Carry out a run and note in `outcome` what is seen, as it is seen.

    Measures the server at `url`, or a fresh one. Raises ServerError when there is none.
    """
    settings = outcome.plan.settings
    options = ["--max-text-bytes", str(max(MAX_TEXT_BYTES, settings.payload_bytes))]
    if settings.deflate:
        options.append("--deflate")
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        publisher = await enter(child("clients.publisher"))
        server = await enter(fresh_server(*options) if url is None else server_at(url))
        address = server.url
        if settings.rtt_ms or settings.jitter_ms or settings.kbit_per_s:
            address = await enter(link_to(address, settings, outcome.plan.run))
        await _measure(outcome, server, address, publisher)


async def _measure(outcome: Outcome, server: Server, address: str, publisher: Process) -> None:
    plan, facts = outcome.plan, outcome.facts
    before = await server.stats()
    facts["server_rss_before_bytes"] = before.rss_bytes
    async with _readers(outcome, address, before) as readers:
        begun = before.modes[plan.mode].requests + plan.settings.clients
        await server.wait_for_requests(plan.mode, begun, CONNECT_TIMEOUT_S)
        await _order(outcome, server, publisher)
        await _watch_window(outcome, server)
        publishes = await _report(publisher)
        await asyncio.wait(readers, timeout=_drain_s(plan.settings))
    after = await server.wait_for_goodbyes(plan.mode, GOODBYE_TIMEOUT_S)
    facts |= _server_counts(before, after, plan.mode)
    facts |= _publish_facts(outcome, publishes)
    ids = range(before.head + 1, after.head + 1)
    facts |= msgspec.structs.asdict(
        continuity(outcome.recorder.deliveries, plan.settings.clients, ids)
    )
    facts["interrupted"] = False


@asynccontextmanager
async def _readers(
    outcome: Outcome, address: str, before: Stats
) -> AsyncIterator[set[asyncio.Task[None]]]:
    plan = outcome.plan
    last = before.head + len(plan.schedule.times_s)
    tasks: set[asyncio.Task[None]] = set()
    try:
        for number in range(1, plan.settings.clients + 1):
            chance = random.Random(f"{plan.seed}/{plan.run}/{number}/backoff")
            client = Client(
                number,
                address,
                outcome.recorder,
                before.place,
                chance,
                keepalive=plan.settings.keepalive,
                deflate=plan.settings.deflate,
            )
            tasks.add(asyncio.create_task(_read(client, plan, outcome.recorder, last)))
            if number % CONNECT_BATCH == 0:
                await asyncio.sleep(0.01)
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(client: Client, plan: Plan, recorder: Recorder, last: int) -> None:
    """Read until the last message; it comes after the window, so nobody stops inside it."""
    messages = MODES[plan.mode].messages(client, plan.pace(client.number))
    async with client, aclosing(messages):
        async for message in messages:
            recorder.delivery(client.number, message, client.arrived_ns)
            if message.id >= last:
                return


async def _order(outcome: Outcome, server: Server, publisher: Process) -> None:
    settings = outcome.plan.settings
    assert publisher.stdin is not None
    assert publisher.stdout is not None
    await publisher.stdout.readline()  # it is ready
    start_ns = time.perf_counter_ns() + round(LEAD_S * 1e9)
    times_ns = tuple(start_ns + round(time * 1e9) for time in outcome.plan.schedule.times_s)
    order = Order(server.url, times_ns, settings.payload_bytes)
    publisher.stdin.write(encode(order) + b"\n")
    window_start_ns = start_ns + round(settings.warmup_s * 1e9)
    outcome.facts["window_start_ns"] = window_start_ns
    outcome.facts["window_end_ns"] = window_start_ns + round(settings.duration_s * 1e9)


async def _watch_window(outcome: Outcome, server: Server) -> None:
    facts, settings = outcome.facts, outcome.plan.settings
    await _sleep_until(facts["window_start_ns"])
    start = await server.stats()
    async with Instrument() as instrument:
        if settings.stall_s:
            await asyncio.sleep((settings.duration_s - settings.stall_s) / 2)
            await server.stall(settings.stall_s)
        await _sleep_until(facts["window_end_ns"])
    end = await server.stats()
    facts["server_cpu_s"] = end.cpu_s - start.cpu_s
    facts["server_rss_bytes"] = end.rss_bytes
    facts["client_cpu_share"] = instrument.cpu_share
    facts["client_lag_p99_ms"] = quantile(instrument.lags_ms, 0.99)


async def _report(publisher: Process) -> list[Publish]:
    assert publisher.stdout is not None
    lines = (await publisher.stdout.read()).splitlines()
    return [msgspec.json.decode(line, type=Publish) for line in lines]


def _server_counts(before: Stats, after: Stats, mode: str) -> dict[str, int]:
    was, now = before.modes[mode], after.modes[mode]
    names = ("requests", "deliveries", "bytes_in", "bytes_out")
    return {f"server_{name}": getattr(now, name) - getattr(was, name) for name in names}


def _publish_facts(outcome: Outcome, publishes: Iterable[Publish]) -> dict[str, Any]:
    start, end = outcome.facts["window_start_ns"], outcome.facts["window_end_ns"]
    made = [publish for publish in publishes if publish.status == 201]
    window = [p.message or 0 for p in made if start <= (p.published_ns or 0) < end]
    late_ms = [(p.started_ns - p.sent_ns) / 1e6 for p in publishes if start <= p.sent_ns < end]
    return {
        "published": len(made),
        "publish_failures": len(outcome.plan.schedule.times_s) - len(made),
        "messages": len(window),
        "first_message": min(window, default=None),
        "publisher_late_p99_ms": quantile(late_ms, 0.99),
    }


def _drain_s(settings: Settings) -> float:
    round_trips_s = 4 * (settings.rtt_ms + settings.jitter_ms) / 1e3
    return settings.interval_s + round_trips_s + DRAIN_TIMEOUT_S


async def _sleep_until(moment_ns: int) -> None:
    await asyncio.sleep(max(0, moment_ns - time.perf_counter_ns()) / 1e9)
