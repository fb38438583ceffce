"""Who reads in a run: the measured clients in this process, the rest of a crowd in others."""

import asyncio
import random
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import msgspec

from clients.client import Client
from clients.crowd import Joined, Order, Said, joining_s
from clients.dialling import source
from clients.errors import ServerError
from clients.follower import Census
from clients.joining import Tally
from clients.modes import MODES
from clients.place import Place
from clients.plan import Outcome, Plan
from clients.server import Server, Stats
from clients.worker import dismiss, ended, give, hear, ready

CONNECT_BATCH = 50
REPORT_TIMEOUT_S = 10.0

Tasks = set[asyncio.Task[None]]


class Stage(msgspec.Struct, frozen=True):
    """The processes of a run: server, where to reach it, publisher, crowd and line, if any.

    crowd: a process for each of the plan's shares
    sources: from how many loopback addresses the clients come
    """

    server: Server
    address: str
    publisher: Process
    crowd: tuple[Process, ...] = ()
    link: Process | None = None
    sources: int = 1


@asynccontextmanager
async def readers(outcome: Outcome, stage: Stage, before: Stats) -> AsyncIterator[Tasks]:
    """Let all clients of a run read, from where the feed stood `before`, until the last message.

    Yields a task for each measured client, and one for the crowd, if there is one. Ends the block
    at once, and raises ServerError, when a reader fails in a way that nobody expected, or the line
    has gone.
    """
    last = before.head + len(outcome.plan.schedule.times_s)
    tasks: Tasks = set()
    try:
        async with asyncio.TaskGroup() as group:
            lines = [stage.link] if stage.link else []
            guards = {group.create_task(guard(line, "clients.link")) for line in lines}
            try:
                await _start(group, tasks, outcome, stage, before.place, last)
                yield tasks
                await _dismiss(outcome, stage.crowd, tasks)
            finally:
                for task in tasks | guards:
                    task.cancel()
    except BaseExceptionGroup as failed:
        raise first(failed, tasks) from None


async def guard(process: Process, name: str) -> None:
    """Raise ServerError when a process ends."""
    raise await ended(process, name)


async def _start(
    group: asyncio.TaskGroup, tasks: Tasks, outcome: Outcome, stage: Stage, place: Place, last: int
) -> None:
    plan = outcome.plan
    for crowd, share in zip(stage.crowd, plan.shares, strict=True):
        await ready(crowd)
        give(crowd, _order(plan, stage, place, last, share))
    if stage.crowd:
        tasks.add(group.create_task(_count(outcome, stage.crowd)))
    numbers = range(1, plan.sampled + 1)
    clients = [_client(outcome, stage, place, number) for number in numbers]
    outcome.attendance.measured = clients
    for client in clients:
        tasks.add(group.create_task(_read(client, outcome, last)))
        await _pause(plan, client.number)


def first(failed: BaseExceptionGroup[BaseException], tasks: Tasks) -> BaseException:
    """Return what went wrong first, as the run's trouble if it was a reader."""
    error = failed.exceptions[0]
    ended = (task for task in tasks if task.done() and not task.cancelled())
    if isinstance(error, ServerError) or all(task.exception() is not error for task in ended):
        return error
    return ServerError(f"a reader failed: {error!r}")


def _order(plan: Plan, stage: Stage, place: Place, last: int, share: tuple[int, int]) -> Order:
    return Order(
        url=stage.address,
        mode=plan.mode,
        numbers=share,
        settings=plan.settings,
        place=place,
        last=last,
        seed=plan.name,
        sources=stage.sources,
    )


def _client(outcome: Outcome, stage: Stage, place: Place, number: int) -> Client:
    plan = outcome.plan
    client = Client(
        number,
        stage.address,
        outcome.recorder,
        place,
        random.Random(f"{plan.name}/{number}/backoff"),
        keepalive=plan.settings.keepalive,
        deflate=plan.settings.deflate,
    )
    client.source = source(number, stage.sources)
    client.close_s += 2 * plan.settings.longest_round_trip_s
    return client


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


async def _count(outcome: Outcome, crowd: tuple[Process, ...]) -> None:
    """Hear the workers of the crowd; their censuses together are the run's."""
    whole = Census(Tally())
    counting = (_hear(outcome, number, worker) for number, worker in enumerate(crowd))
    for census in await asyncio.gather(*counting):
        whole.add(census)
    outcome.census = whole


async def _hear(outcome: Outcome, number: int, worker: Process) -> Census:
    said: Said | None = None
    async for said in hear(worker, Said):
        if isinstance(said, Joined):
            outcome.attendance.counted[number] = said.clients
    if not isinstance(said, Census):
        raise await ended(worker, "clients.crowd", "try fewer --clients")
    if said.trouble:
        raise ServerError(f"a reader of the crowd failed: {said.trouble}")
    return said


async def _dismiss(outcome: Outcome, crowd: tuple[Process, ...], tasks: Tasks) -> None:
    """Have the crowd report, whatever it has seen."""
    if outcome.census is None:
        for worker in crowd:
            dismiss(worker)
        await asyncio.wait(tasks, timeout=REPORT_TIMEOUT_S)
