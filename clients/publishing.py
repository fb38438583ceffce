"""Have the messages of a run published, and say what the publisher's reports say of it."""

import time
from asyncio.subprocess import Process
from collections.abc import Iterable
from typing import Any

from clients.instrument import quantile
from clients.plan import Outcome, Plan
from clients.publisher import Order, Publish
from clients.records import Settings
from clients.worker import ended, give, ready, report

LEAD_S = 0.1  # from the order to the first publish


async def begin_publishing(
    publisher: Process, url: str, plan: Plan, key: str = ""
) -> dict[str, int]:
    """Order every publish of a run; return when its window begins, and when it ends.

    key: begins each message's own key, where one is wanted
    """
    await ready(publisher)
    start_ns = time.perf_counter_ns() + round(LEAD_S * 1e9)
    times_ns = tuple(start_ns + round(at_s * 1e9) for at_s in plan.schedule.times_s)
    give(publisher, Order(url, times_ns, plan.settings.payload_bytes, key=key))
    return _window(start_ns, plan.settings)


def _window(start_ns: int, settings: Settings) -> dict[str, int]:
    begin_ns = start_ns + round(settings.warmup_s * 1e9)
    end_ns = begin_ns + round(settings.duration_s * 1e9)
    return {"window_start_ns": begin_ns, "window_end_ns": end_ns}


async def published(publisher: Process, plan: Plan) -> list[Publish]:
    """Wait until a publisher is done; raise ServerError when it has ended before."""
    publishes = await report(publisher, Publish)
    if len(publishes) < len(plan.schedule.times_s):
        raise await ended(publisher, "clients.publisher")
    return publishes


def publish_facts(outcome: Outcome, publishes: Iterable[Publish]) -> dict[str, Any]:
    """Return what the publisher's reports say of a run."""
    start, end = outcome.facts["window_start_ns"], outcome.facts["window_end_ns"]
    made = [publish for publish in publishes if publish.status == 201]
    window = [p.message or 0 for p in made if start < p.sent_ns <= end]
    late_ms = [(p.started_ns - p.sent_ns) / 1e6 for p in publishes if start < p.sent_ns <= end]
    return {
        "published": len(made),
        "publish_failures": len(outcome.plan.schedule.times_s) - len(made),
        "messages": len(window),
        "first_message": min(window, default=None),
        "publisher_late_p99_ms": quantile(late_ms, 0.99),
        "clock_apart_ms": max((p.clock_apart_ms for p in made), default=None),
    }
