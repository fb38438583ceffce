"""What the instrument contributes by itself, measured before anyone believes a result.

Against a server that answers at once, what is left is the client: its floor of latency, its CPU
time for each request, and how many requests a second it can drive from one process.
"""

import asyncio
import random
import time
from contextlib import aclosing

import msgspec
from rich.console import Console
from rich.table import Table

from clients.client import Client, Place
from clients.instrument import quantile
from clients.log import Settings
from clients.modes import MODES
from clients.pace import Pace
from clients.recorder import Recorder
from clients.server import link_to, process_at
from clients.stand_in import EPOCH
from clients.timing import new_event_loop

SECONDS = 1.5
SLEEPS = 100
SLEEP_S = 0.005
CLOCK_LIMIT_NS = 1000.0
SLEEP_LIMIT_MS = 5.0
FLOOR_LIMIT_MS = 5.0
NO_LENGTH = Settings(clients=1, rate_per_s=1, interval_s=1, hold_s=1, duration_s=1, warmup_s=0)
FLAT_OUT = Pace(interval_s=0.0, phase_s=0.0, hold_s=25.0)


class Floor(msgspec.Struct, frozen=True):
    """What one client of a mode measures when the server takes no time.

    latency_*_ms: from the server's write to the reader; reader_p50_ms: of it, from the bytes'
    arrival in this process to the reader; cpu_us: of this process, for each message
    """

    mode: str
    latency_p50_ms: float
    latency_p99_ms: float
    reader_p50_ms: float
    messages_per_s: float
    cpu_us: float


class Check(msgspec.Struct, frozen=True):
    """One check: what was found, what is asked of it, and whether it holds."""

    name: str
    found: str
    limit: str
    holds: bool


def show_self_check(console: Console) -> int:
    """Measure the instrument and print what it contributes; return 0 when every check holds."""
    found, link_ms = asyncio.run(_measure())
    judged = checks(found)
    console.print(_floor_table(found))
    console.print(f"The emulated line adds {link_ms:.2f} ms each way.\n", highlight=False)
    console.print(_check_table(judged))
    return 0 if all(check.holds for check in judged) else 1


async def _measure() -> tuple[list[Floor], float]:
    async with process_at("clients.stand_in") as url, link_to(url, NO_LENGTH, seed=0) as near:
        found = [await _floor(mode, url) for mode in MODES]
        over_line = await _floor("ws", near)
    direct = next(floor for floor in found if floor.mode == "ws")
    return found, over_line.latency_p50_ms - direct.latency_p50_ms


async def _floor(mode: str, url: str) -> Floor:
    recorder = Recorder(run=0)
    client = Client(1, url, recorder, Place(EPOCH, 0), random.Random(0))
    began, cpu = time.perf_counter(), time.process_time()
    messages = MODES[mode].messages(client, FLAT_OUT)
    async with client, aclosing(messages):
        async for message in messages:
            recorder.delivery(1, message, client.arrived_ns)
            if time.perf_counter() - began > SECONDS:
                break
    rows = recorder.deliveries
    latencies = [(row.received_ns - row.published_ns) / 1e6 for row in rows]
    reading = [(row.received_ns - row.arrived_ns) / 1e6 for row in rows]
    return Floor(
        mode=mode,
        latency_p50_ms=quantile(latencies, 0.5) or 0.0,
        latency_p99_ms=quantile(latencies, 0.99) or 0.0,
        reader_p50_ms=quantile(reading, 0.5) or 0.0,
        messages_per_s=len(rows) / (time.perf_counter() - began),
        cpu_us=(time.process_time() - cpu) / len(rows) * 1e6,
    )


def checks(found: list[Floor]) -> list[Check]:
    """Judge the clock, the publisher's timer and the clients."""
    resolution_ns = time.get_clock_info("perf_counter").resolution * 1e9
    late_ms = _sleep_lateness_ms()
    return [
        Check("clock resolution", f"{resolution_ns:g} ns", "1 µs", resolution_ns <= CLOCK_LIMIT_NS),
        _at_most("publisher's timer late, p99", late_ms, SLEEP_LIMIT_MS),
        *(
            _at_most(
                f"floor of latency, {MODES[floor.mode].name}, p99",
                floor.latency_p99_ms,
                FLOOR_LIMIT_MS,
            )
            for floor in found
        ),
    ]


def _at_most(name: str, found_ms: float, limit_ms: float) -> Check:
    return Check(name, f"{found_ms:.2f} ms", f"{limit_ms:g} ms", found_ms <= limit_ms)


def _sleep_lateness_ms() -> float:
    async def sleep() -> list[float]:
        late = []
        for _ in range(SLEEPS):
            before = time.perf_counter()
            await asyncio.sleep(SLEEP_S)
            late.append((time.perf_counter() - before - SLEEP_S) * 1e3)
        return late

    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        return quantile(runner.run(sleep()), 0.99) or 0.0


def _floor_table(found: list[Floor]) -> Table:
    table = _table("mode", "latency p50", "p99", "of it, to reader", "messages/s", "CPU/message")
    for floor in found:
        table.add_row(
            MODES[floor.mode].name,
            f"{floor.latency_p50_ms:.2f} ms",
            f"{floor.latency_p99_ms:.2f} ms",
            f"{floor.reader_p50_ms:.2f} ms",
            "pushed" if floor.mode == "ws" else f"{floor.messages_per_s:.0f}",
            f"{floor.cpu_us:.0f} µs",
        )
    return table


def _check_table(judged: list[Check]) -> Table:
    table = _table("check", "found", "at most", "")
    for check in judged:
        table.add_row(check.name, check.found, check.limit, "holds" if check.holds else "FAILS")
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number else "left")
    return table
