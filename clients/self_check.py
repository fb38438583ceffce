"""What the instrument contributes by itself, measured before anyone believes a result.

Against a server that answers at once, what is left is the client: its floor of latency by itself,
and with many at once how many requests a second one process can drive, and its CPU time for each.
Behind the emulated line, what is left beyond half a round trip is the line's own.
"""

import asyncio
import time

import msgspec
from rich.console import Console
from rich.table import Table

from clients.driving import Driven, drive
from clients.instrument import quantile
from clients.modes import MODES
from clients.processes import link_to, process_at
from clients.records import Settings
from clients.terminal import DONE, carry_out
from clients.timing import new_event_loop

STAND_IN = "clients.stand_in"
SECONDS = 1.5
# So many polls that this process takes a full core; messages are pushed at the stand-in's pace.
MANY_POLLS, MANY_PUSHED = 20, 100
ROUND_TRIPS_MS = (20, 100)
CONNECTIONS = (1, 20)
SLEEPS = 100
SLEEP_S = 0.005
CLOCK_LIMIT_NS = 1000.0
SLEEP_LIMIT_MS = 5.0
FLOOR_LIMIT_MS = 5.0
LINE = Settings(clients=1, rate_per_s=1, interval_s=1, hold_s=1, duration_s=1, warmup_s=0)


class Added(msgspec.Struct, frozen=True):
    """What the emulated line adds each way, beyond half its round trip."""

    rtt_ms: float
    connections: int
    p50_ms: float
    p99_ms: float


class Findings(msgspec.Struct):
    """What was measured: one client of each mode, many, and the line."""

    floors: list[Driven] = []
    many: list[Driven] = []
    added: list[Added] = []


class Check(msgspec.Struct, frozen=True):
    """One check: what was found, what is asked of it, and whether it holds."""

    name: str
    found: str
    limit: str
    holds: bool


def show_self_check(program: str, console: Console) -> int:
    """Measure the instrument and print what it contributes; return 0 when every check holds."""
    found = Findings()
    code = carry_out(program, _measure(found))
    if code != DONE:
        return code
    judged = checks(found.floors)
    for table in (_floor_table(found.floors), _many_table(found.many), _line_table(found.added)):
        console.print(table)
        console.print()
    console.print(_check_table(judged))
    return 0 if all(check.holds for check in judged) else 1


def many(mode: str) -> int:
    """Return how many clients are driven at once where not one alone is."""
    return MANY_PUSHED if MODES[mode].pushes else MANY_POLLS


async def _measure(found: Findings) -> None:
    async with process_at(STAND_IN) as url:
        for mode in MODES:
            found.floors.append(await drive(mode, url, 1, SECONDS))
            found.many.append(await drive(mode, url, many(mode), SECONDS))
        for rtt_ms in ROUND_TRIPS_MS:
            settings = msgspec.structs.replace(LINE, rtt_ms=rtt_ms)
            async with link_to(url, settings, seed="0") as near:
                for connections in CONNECTIONS:
                    # Each asks again when it is answered, so all that waits, waits on the line.
                    over = await drive("short", near, connections, SECONDS + 2 * rtt_ms / 1e3)
                    found.added.append(added(over, found.floors[0], rtt_ms))


def added(over: Driven, direct: Driven, rtt_ms: float) -> Added:
    """Hold what was seen over the line against what is seen without, and against half of R."""
    due_ms = direct.latency_p50_ms + rtt_ms / 2
    p50_ms, p99_ms = over.latency_p50_ms - due_ms, over.latency_p99_ms - due_ms
    return Added(rtt_ms, over.clients, p50_ms, p99_ms)


def checks(found: list[Driven]) -> list[Check]:
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


def _floor_table(found: list[Driven]) -> Table:
    table = _table("one client", "latency p50", "p99", "of it, to reader")
    for floor in found:
        table.add_row(
            MODES[floor.mode].name,
            f"{floor.latency_p50_ms:.2f} ms",
            f"{floor.latency_p99_ms:.2f} ms",
            f"{floor.reader_p50_ms:.2f} ms",
        )
    return table


def _many_table(found: list[Driven]) -> Table:
    table = _table("one process", "clients", "of a core", "it drives", "CPU for each")
    for driven in found:
        what = "messages" if MODES[driven.mode].pushes else "requests"
        table.add_row(
            MODES[driven.mode].name,
            f"{driven.clients}",
            f"{driven.cpu_share:.0%}",
            f"{driven.messages_per_s:,.0f} {what}/s",
            f"{driven.cpu_us:.0f} µs",
        )
    return table


def _line_table(found: list[Added]) -> Table:
    table = _table("emulated line", "connections", "adds each way, p50", "p99")
    for line in found:
        name, connections = f"round trip {line.rtt_ms:g} ms", f"{line.connections}"
        table.add_row(name, connections, f"{line.p50_ms:.2f} ms", f"{line.p99_ms:.2f} ms")
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
