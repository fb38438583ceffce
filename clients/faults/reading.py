"""Who reads while faults come: of each mode some with a cursor, and as many without one."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager

from clients.client import Client
from clients.faults.naive import Naive
from clients.faults.stage import Stage
from clients.modes import MODES
from clients.plan import Outcome
from clients.readers import Tasks, first, guard
from clients.recorder import Recorder
from clients.server import Stats


class Reading:
    """The readers of a session: a task for each."""

    def __init__(self) -> None:
        self.with_cursor: Tasks = set()
        self.without: Tasks = set()

    @property
    def tasks(self) -> Tasks:
        """All of them."""
        return self.with_cursor | self.without


@asynccontextmanager
async def readers(
    outcomes: Sequence[Outcome], stage: Stage, before: Stats
) -> AsyncIterator[Reading]:
    """Let all read, from where the feed stood `before` until the last message; yield them.

    Ends the block at once, and raises ServerError, when a reader fails in a way that nobody
    expected, or what stands between readers and server has gone.
    """
    last = before.head + len(outcomes[0].plan.schedule.times_s)
    reading = Reading()
    try:
        async with asyncio.TaskGroup() as group:
            between = stage.between.items()
            guards = {group.create_task(guard(process, name)) for name, process in between}

            def start(client: Client, outcome: Outcome, recorder: Recorder) -> asyncio.Task[None]:
                return group.create_task(_read(client, outcome, recorder, stage.awake, last))

            try:
                for outcome in outcomes:
                    clients = _clients(Client, outcome, outcome.recorder, stage, before)
                    others = _clients(Naive, outcome, outcome.naive, stage, before)
                    outcome.attendance.measured = [*clients, *others]
                    outcome.attendance.expected = len(outcome.attendance.measured)
                    reading.with_cursor |= {start(c, outcome, outcome.recorder) for c in clients}
                    reading.without |= {start(c, outcome, outcome.naive) for c in others}
                yield reading
            finally:
                for task in reading.tasks | guards:
                    task.cancel()
    except BaseExceptionGroup as failed:
        raise first(failed, reading.tasks) from None


def _clients(
    kind: type[Client], outcome: Outcome, recorder: Recorder, stage: Stage, before: Stats
) -> list[Client]:
    plan = outcome.plan
    clients = [
        kind(
            number,
            stage.address,
            recorder,
            before.place,
            random.Random(f"{plan.seed}/{plan.run}/{number}/{kind.__name__}"),
            keepalive=plan.settings.keepalive,
            deflate=plan.settings.deflate,
        )
        for number in range(1, plan.settings.clients + 1)
    ]
    for client in clients:
        client.close_s += 2 * plan.settings.longest_round_trip_s
    return clients


async def _read(
    client: Client, outcome: Outcome, recorder: Recorder, awake: asyncio.Event, last: int
) -> None:
    """Read until the last message; asleep, take nothing: what has come waits at the door."""
    plan = outcome.plan
    messages = MODES[plan.mode].messages(client, plan.pace(client.number))
    async with client, aclosing(messages):
        async for message in messages:
            await awake.wait()
            recorder.delivery(client.number, message, client.arrived_ns)
            if message.id >= last:
                return
