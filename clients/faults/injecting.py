"""Do to a session what a fault does, and say when it began and when all was as before."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence

import msgspec
import psutil

from clients.errors import ServerError
from clients.faults.schedule import LEAST_QUIET_S, Planned
from clients.faults.stage import Stage
from clients.timing import sleep_until


class Injected(msgspec.Struct, frozen=True):
    """A fault that was: see `clients.injected.Fault`, which adds the run."""

    kind: str
    began_ns: int
    ended_ns: int
    server_rss_bytes: int | None
    server_files: int | None


async def inject(
    planned: Sequence[Planned], start_ns: int, end_ns: int, stage: Stage, done: list[Injected]
) -> None:
    """Inject each fault at its time from `start_ns`, or soon after the last one; append to `done`.

    Where servers take longer to start than planned, the last are left out that would not be over
    by `end_ns`: then nothing is published any more by which to tell who is back.

    Raises ServerError when a process ends that no fault has ended.
    """
    free_ns = start_ns
    for fault in planned:
        at_ns = max(free_ns, start_ns + round(fault.at_s * 1e9))
        if done and at_ns + round(fault.lasts_s * 1e9) > end_ns:
            break
        await sleep_until(at_ns)
        try:
            held = stage.lives.footprint() if stage.lives is not None else (None, None)
            began_ns = time.perf_counter_ns()
            await HOW[fault.kind](stage, fault.lasts_s)
        except (psutil.Error, ProcessLookupError) as error:
            line = "the server that was started for it has ended by itself"
            raise ServerError(f"{line} ({error})") from None
        done.append(Injected(fault.kind, began_ns, time.perf_counter_ns(), *held))
        free_ns = time.perf_counter_ns() + round(LEAST_QUIET_S * 1e9)


async def cut(stage: Stage, _: float) -> None:
    """Reset every connection on the line."""
    await stage.tell_line("cut")


async def stall(stage: Stage, lasts_s: float) -> None:
    """Let the line hold every byte back."""
    await stage.tell_line("stall", lasts_s)
    await asyncio.sleep(lasts_s)


async def pause(stage: Stage, lasts_s: float) -> None:
    """Stop the server's process, and let it go on."""
    assert stage.lives is not None
    process = stage.lives.process
    process.suspend()
    try:
        await asyncio.sleep(lasts_s)
    finally:
        process.resume()


async def kill(stage: Stage, _: float) -> None:
    """Kill the server, and start it again."""
    assert stage.lives is not None
    await stage.lives.kill_and_begin()


async def drop(stage: Stage, lasts_s: float) -> None:
    """Take the line down."""
    await stage.tell_line("drop", lasts_s)
    await asyncio.sleep(lasts_s)


async def sleep(stage: Stage, lasts_s: float) -> None:
    """Let every reader sleep."""
    stage.awake.clear()
    try:
        await asyncio.sleep(lasts_s)
    finally:
        stage.awake.set()


HOW: dict[str, Callable[[Stage, float], Awaitable[None]]] = {
    "cut": cut,
    "stall": stall,
    "pause": pause,
    "kill": kill,
    "drop": drop,
    "sleep": sleep,
}
