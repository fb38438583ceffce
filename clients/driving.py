"""Drive clients at a server that answers at once: what they see of it, and what they cost.

No verdict here. The server is the stand-in, so that all that is seen is the instrument's own.
"""

import asyncio
import random
import time
from contextlib import aclosing

import msgspec

from clients.client import Client
from clients.errors import ServerError
from clients.instrument import quantile
from clients.modes import MODES
from clients.pace import Pace
from clients.place import Place
from clients.recorder import Recorder
from clients.stand_in import EPOCH

FIRST_WITHIN_S = 15.0
FLAT_OUT = Pace(interval_s=0.0, phase_s=0.0, hold_s=25.0)


class Driven(msgspec.Struct, frozen=True):
    """What clients of a mode measure, and cost, when the server takes no time.

    latency_*_ms: from the server's write to the reader; reader_p50_ms: of it, from the bytes'
    arrival in this process to the reader; messages_per_s: of all clients, and each poll brings one
    cpu_share: of a core, that this process took; cpu_us: of it, for each message
    """

    mode: str
    clients: int
    latency_p50_ms: float
    latency_p99_ms: float
    reader_p50_ms: float
    messages_per_s: float
    cpu_share: float
    cpu_us: float


async def drive(mode: str, url: str, clients: int, seconds: float) -> Driven:
    """Let so many clients read at once, for a while from when each of them has had a message.

    Raise ServerError when that does not come to be, or nothing more comes.
    """
    recorder = Recorder(run=0)
    reached = [asyncio.Event() for _ in range(clients)]
    reading = [
        asyncio.create_task(_read(mode, url, number, recorder, first))
        for number, first in enumerate(reached, 1)
    ]
    try:
        async with asyncio.timeout(FIRST_WITHIN_S):
            for first in reached:
                await first.wait()
        before, began, cpu = len(recorder.deliveries), time.perf_counter(), time.process_time()
        await asyncio.wait(reading, timeout=seconds)
        cpu_s, elapsed_s = time.process_time() - cpu, time.perf_counter() - began
        rows = recorder.deliveries[before:]
    except TimeoutError:
        line = f"not every client had a message from {url} within {FIRST_WITHIN_S:g} s"
        raise ServerError(f"{line}: close other programs") from None
    finally:
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)
    if not rows:
        raise ServerError(f"nothing came from {url} within {seconds:g} s: close other programs")
    latencies_ms = [(row.received_ns - row.published_ns) / 1e6 for row in rows]
    reading_ms = [(row.received_ns - row.arrived_ns) / 1e6 for row in rows]
    return Driven(
        mode=mode,
        clients=clients,
        latency_p50_ms=quantile(latencies_ms, 0.5) or 0.0,
        latency_p99_ms=quantile(latencies_ms, 0.99) or 0.0,
        reader_p50_ms=quantile(reading_ms, 0.5) or 0.0,
        messages_per_s=len(rows) / elapsed_s,
        cpu_share=cpu_s / elapsed_s,
        cpu_us=cpu_s / len(rows) * 1e6,
    )


async def _read(mode: str, url: str, number: int, recorder: Recorder, first: asyncio.Event) -> None:
    client = Client(number, url, recorder, Place(EPOCH, 0), random.Random(number))
    messages = MODES[mode].messages(client, FLAT_OUT)
    async with client, aclosing(messages):
        async for message in messages:
            recorder.delivery(number, message, client.arrived_ns)
            first.set()
