"""Workers: processes that say they are ready, get an order as a line of JSON, report at the end.

Both ends of that talk. A worker also ends, and reports, when its standard input closes: then who
gave the order has gone, or has seen enough, and no process is left behind.
"""

import asyncio
import contextlib
import os
import sys
import threading
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any, TypeVar

import msgspec

from clients.errors import ServerError
from clients.timing import new_event_loop
from demo.message import encode

Order = TypeVar("Order", bound=msgspec.Struct)
Report = TypeVar("Report", bound=msgspec.Struct)


# Within the worker


def work(
    kind: type[Order],
    carry_out: Callable[[Order, list[Report]], Coroutine[Any, Any, None]],
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = new_event_loop,
) -> None:
    """Be a worker: carry out the order, a `kind`; print what is in the list by then."""
    say(b"ready")
    line = sys.stdin.buffer.readline()
    if not line:
        return  # it was never wanted
    order = msgspec.json.decode(line, type=kind)
    report: list[Report] = []
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_obey(carry_out(order, report)))
    finally:
        say(*map(encode, report))


def say(*lines: bytes) -> None:
    """Print lines for whoever started this process; if that was killed, nobody is there to hear."""
    # Not by print: what it could not write it would try again, and complain of, at the exit.
    with (
        contextlib.suppress(BrokenPipeError),
        open(sys.stdout.fileno(), "wb", closefd=False) as out,
    ):
        out.writelines(line + b"\n" for line in lines)


async def _obey(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.create_task(work)
    end_with_stdin(task)
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()


def end_with_stdin(task: asyncio.Task[None]) -> None:
    """Cancel `task` when standard input closes: whoever started this process has gone."""
    loop = asyncio.get_running_loop()
    watch = threading.Thread(target=_wait_for_end, args=(loop, task), daemon=True)
    watch.start()


def _wait_for_end(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    with contextlib.suppress(RuntimeError):  # the loop has closed: all is done
        loop.call_soon_threadsafe(task.cancel)


# At the other end


async def ready(process: Process) -> None:
    """Wait until a worker is ready for its order."""
    assert process.stdout is not None
    await process.stdout.readline()


def give(process: Process, order: msgspec.Struct) -> None:
    """Give a worker its order."""
    assert process.stdin is not None
    process.stdin.write(encode(order) + b"\n")


async def hear(process: Process, kind: Any) -> AsyncIterator[Any]:
    """Yield what a worker says, each line a `kind` or one of a union, until it is done."""
    assert process.stdout is not None
    while (line := await process.stdout.readline()).endswith(b"\n"):  # a rest is of one killed
        yield msgspec.json.decode(line, type=kind)


async def report(process: Process, kind: type[Report]) -> list[Report]:
    """Wait until a worker is done; return what it reports, each line a `kind`."""
    return [said async for said in hear(process, kind)]


async def report_beside(
    other: Process, module: str, process: Process, kind: type[Report]
) -> list[Report]:
    """Do as `report`; raise ServerError when another process, without which it cannot be, ends."""
    reporting = asyncio.create_task(report(process, kind))
    ending = asyncio.create_task(ended(other, module))
    try:
        await asyncio.wait({reporting, ending}, return_when=asyncio.FIRST_COMPLETED)
        if not reporting.done():
            raise ending.result()
        return reporting.result()
    finally:
        for task in (reporting, ending):
            task.cancel()


async def ended(process: Process, module: str, advice: str = "") -> ServerError:
    """Wait for the end of a process that was still needed; return the error that says so.

    advice: what may help, where that is known
    """
    code = await process.wait()
    how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
    return ServerError(f"{module} {how} before its time{advice and f': {advice}'}")


def dismiss(process: Process) -> None:
    """Tell a worker that it has done enough; it reports what it has."""
    assert process.stdin is not None
    process.stdin.close()
