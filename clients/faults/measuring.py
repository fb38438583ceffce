"""A session with faults: one server, all modes at once, readers with a cursor and without.

The modes share the session, so that the very same faults meet all of them; each is a run of its
own in the log. What a server counts is lost with it when it is killed, so it is not asked.
"""

import asyncio
import secrets
import time
from collections.abc import Sequence

import msgspec

from clients.attendance import wait_for_all
from clients.checks import continuity
from clients.errors import ServerError
from clients.faults.injecting import Injected, inject
from clients.faults.reading import Reading, readers
from clients.faults.schedule import CALM_S, make_faults
from clients.faults.stage import Stage, staged
from clients.faults.telling import held, remarks
from clients.injected import Fault
from clients.instrument import Instrument, quantile
from clients.plan import Outcome
from clients.publishing import begin_publishing, publish_facts, published
from clients.records import Settings
from clients.run import PATIENCE_S, busiest, cpu_s, turn_s
from clients.timing import sleep_until

DRAIN_S = 10.0  # beyond a reader's turn: twice the longest backoff
GRACE_S = 1.0  # likewise of those without a cursor: after a backoff they have lost it


async def measure(outcomes: Sequence[Outcome], url: str | None = None) -> None:
    """Carry out the runs of a session, and note in `outcomes` what is seen, as it is seen.

    Measures the server at `url`, or one of our own. Raises ServerError when it cannot be.
    """
    async with staged(outcomes[0].plan, url) as stage:
        await _measure(outcomes, stage)


async def _measure(outcomes: Sequence[Outcome], stage: Stage) -> None:
    before = await stage.server.stats()
    async with readers(outcomes, stage, before) as reading:
        for outcome in outcomes:
            mode = outcome.plan.mode
            await wait_for_all(outcome.attendance, stage.server, mode, before, PATIENCE_S)
        await _publish(outcomes, stage)
        await _watch_window(outcomes, stage)
        publishes = await published(stage.publisher, outcomes[0].plan)
        await _drain(reading, outcomes[0].plan.settings)
    after = await stage.server.stats()
    if after.epoch != before.epoch:
        raise ServerError("the server has lost its history: the feed's file was not kept")
    for outcome in outcomes:
        ids = range(before.head + 1, after.head + 1)
        outcome.facts |= publish_facts(outcome, publishes)
        outcome.facts |= _seen(outcome, ids)
        outcome.facts["interrupted"] = False
        outcome.remarks = remarks(outcome, ids)
    outcomes[-1].remarks += held(outcomes[-1])


async def _drain(reading: Reading, settings: Settings) -> None:
    """Wait until every reader has the last message; those who have lost it would wait for ever."""
    await asyncio.wait(reading.with_cursor, timeout=DRAIN_S + turn_s(settings))
    await asyncio.wait(reading.without, timeout=GRACE_S + turn_s(settings))


async def _publish(outcomes: Sequence[Outcome], stage: Stage) -> None:
    plan = outcomes[0].plan
    # Never the same twice: who measures a server at --url again would be told of the old messages.
    key = f"{plan.seed}-{plan.run}-{secrets.token_hex(4)}"
    window = await begin_publishing(stage.publisher, stage.server.url, plan, key)
    for outcome in outcomes:
        outcome.facts |= window


async def _watch_window(outcomes: Sequence[Outcome], stage: Stage) -> None:
    plan, facts = outcomes[0].plan, outcomes[0].facts
    planned = make_faults(plan.settings, f"{plan.seed}/{plan.trial}")
    await sleep_until(facts["window_start_ns"])
    begun_ns, begun_s = time.perf_counter_ns(), [cpu_s(stage.line)]
    done: list[Injected] = []
    try:
        async with Instrument() as instrument:
            calm_ns = facts["window_end_ns"] - round(CALM_S * 1e9)
            await inject(planned, facts["window_start_ns"], calm_ns, stage, done)
            await sleep_until(facts["window_end_ns"])
    finally:
        for outcome in outcomes:
            outcome.faults = [Fault(outcome.plan.run, *msgspec.structs.astuple(f)) for f in done]
    span_s = (time.perf_counter_ns() - begun_ns) / 1e9
    for outcome in outcomes:
        outcome.facts["client_cpu_share"] = instrument.cpu_share
        outcome.facts["client_lag_p99_ms"] = quantile(instrument.lags_ms, 0.99)
        outcome.facts["link_cpu_share"] = busiest(begun_s, [cpu_s(stage.line)], span_s)


def _seen(outcome: Outcome, ids: range) -> dict[str, int]:
    seen = continuity(outcome.recorder.deliveries, outcome.plan.settings.clients, ids)
    told = sum(client.gaps for client in outcome.attendance.measured)
    return {"gaps": told, "faults": len(outcome.faults), **msgspec.structs.asdict(seen)}
