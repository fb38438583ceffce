"""Who reads in a run: the measured clients in this process, the rest of a crowd in another."""

import asyncio
import random
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import msgspec

from clients.client import Client, Place
from clients.crowd import Order, joining_s
from clients.follower import Census
from clients.modes import MODES
from clients.plan import Outcome, Plan
from clients.server import Server, Stats
from clients.worker import dismiss, give, ready, report

CONNECT_BATCH = 50
REPORT_TIMEOUT_S = 10.0


class Stage(msgspec.Struct, frozen=True):
    """The processes of a run: server, where to reach it, publisher, crowd and line, if any."""

    server: Server
    address: str
    publisher: Process
    crowd: Process | None
    link: Process | None


@asynccontextmanager
async def readers(
    outcome: Outcome, stage: Stage, before: Stats
) -> AsyncIterator[set[asyncio.Task[None]]]:
    """Let all clients of a run read, from where the feed stood `before`, until the last message.

    Yields a task for each measured client, and one for the crowd, if there is one.
    """
    plan = outcome.plan
    last = before.head + len(plan.schedule.times_s)
    tasks: set[asyncio.Task[None]] = set()
    try:
        if stage.crowd is not None:
            await ready(stage.crowd)
            give(stage.crowd, _order(plan, stage.address, before.place, last))
            tasks.add(asyncio.create_task(_count(outcome, stage.crowd)))
        for number in range(1, plan.sampled + 1):
            client = _client(outcome, stage.address, before.place, number)
            tasks.add(asyncio.create_task(_read(client, outcome, last)))
            await _pause(plan, number)
        yield tasks
        await _dismiss(outcome, stage.crowd, tasks)
    finally:
        for task in tasks:
            task.cancel()
        _note(outcome, await asyncio.gather(*tasks, return_exceptions=True))


def _note(outcome: Outcome, ends: list[BaseException | None]) -> None:
    """Note how the first reader failed whose error nobody expected."""
    errors = [end for end in ends if isinstance(end, Exception)]
    if errors and not outcome.trouble:
        outcome.trouble = f"a reader failed: {errors[0]!r}"


def _order(plan: Plan, address: str, place: Place, last: int) -> Order:
    numbers = plan.sampled + 1, plan.settings.clients
    return Order(address, plan.mode, numbers, plan.settings, place, last, f"{plan.seed}/{plan.run}")


def _client(outcome: Outcome, address: str, place: Place, number: int) -> Client:
    plan = outcome.plan
    return Client(
        number,
        address,
        outcome.recorder,
        place,
        random.Random(f"{plan.seed}/{plan.run}/{number}/backoff"),
        keepalive=plan.settings.keepalive,
        deflate=plan.settings.deflate,
    )


async def _pause(plan: Plan, number: int) -> None:
    if plan.crowd:  # spread over it: who joins first may be served first, whenever there is news
        await asyncio.sleep(joining_s(plan.settings) / plan.sampled)
    elif number % CONNECT_BATCH == 0:
        await asyncio.sleep(0.01)


async def _read(client: Client, outcome: Outcome, last: int) -> None:
    """Read until the last message; it comes after the window, so nobody stops inside it."""
    plan, recorder = outcome.plan, outcome.recorder
    messages = MODES[plan.mode].messages(client, plan.pace(client.number))
    async with client, aclosing(messages):
        async for message in messages:
            recorder.delivery(client.number, message, client.arrived_ns)
            if message.id >= last:
                return


async def _count(outcome: Outcome, crowd: Process) -> None:
    for census in await report(crowd, Census):
        outcome.census = census


async def _dismiss(outcome: Outcome, crowd: Process | None, tasks: set[asyncio.Task[None]]) -> None:
    """Have the crowd report, whatever it has seen."""
    if crowd is not None and outcome.census is None:
        dismiss(crowd)
        await asyncio.wait(tasks, timeout=REPORT_TIMEOUT_S)
