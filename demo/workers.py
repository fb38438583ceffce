"""Several servers on one port: start them, start again what dies, end all together. No HTTP here.

Each worker is a process that listens for itself at the same address (SO_REUSEPORT), so that the
kernel spreads the connections evenly; one socket that all accept from would favour whoever is
idle. A worker has its standard input from here and ends when it closes, so none outlives this
process, however that ends.
"""

import asyncio
import contextlib
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable

from demo.stop import Stop

END_S = 5.0  # a worker that takes longer to stop is killed
RESTART_S = 1.0  # so that a worker that cannot work is not started over and over at once
CANNOT_SERVE = 2  # the exit code of a worker that cannot, and has said why
LISTENING = "Listening on "


class Worker:
    """One place among the workers, and the processes that take it one after another."""

    def __init__(self, number: int, arguments: list[str], say: Callable[[str], None]) -> None:
        self.number = number
        self.listens = asyncio.Event()  # it has, at least once
        self.code = 0
        self._serves = False  # the process that has this place now
        self._command = [sys.executable, "-m", "demo.worker", str(number), *arguments]
        self._say = say

    async def keep(self, stop: Stop) -> None:
        """Keep a process in this place until `stop`; ask for it if none can serve."""
        while not stop.asked.is_set():
            try:
                self.code = await self._live(stop)
            except OSError as error:  # the system has no process, or no file, to spare
                self._say(f"Worker {self.number} cannot be started ({error.strerror})")
                self.code = CANNOT_SERVE
            if stop.asked.is_set():
                return
            ended = f"Worker {self.number} has ended (exit code {self.code})"
            if not self.listens.is_set() or (self._serves and self.code == CANNOT_SERVE):
                # Any other process would end so too, such as by a stream that holds no messages.
                if self.code < 0:  # else it has said why
                    self._say(f"{ended} before it could serve: all end")
                stop.ask()
                return
            self._say(f"{ended}: another is started")
            self.code = 0
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.asked.wait(), RESTART_S)

    async def _live(self, stop: Stop) -> int:
        self._serves = False
        # In a session of its own: Ctrl-C at the terminal is for this process, which ends all.
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=PIPE, stdout=PIPE, start_new_session=True
        )
        ending = asyncio.create_task(_end(process, stop))
        assert process.stdout is not None
        async for line in process.stdout:
            self._hear(line.decode(errors="replace").rstrip("\n"))
        code = await process.wait()
        ending.cancel()
        return code

    def _hear(self, line: str) -> None:
        if line.startswith(LISTENING):
            self.listens.set()
            self._serves = True
        else:
            self._say(f"Worker {self.number}: {line}")


async def run_workers(workers: list[Worker], stop: Stop, ready: Callable[[], None]) -> int:
    """Run workers until `stop`, and call `ready` when all listen; return the exit code.

    The first goes ahead: if it cannot begin, it says why, and once is enough.
    """
    first, *others = workers
    keeping = [asyncio.create_task(first.keep(stop))]
    await _either(first.listens, stop.asked)
    keeping += [asyncio.create_task(worker.keep(stop)) for worker in others]
    for worker in others:
        await _either(worker.listens, stop.asked)
    if not stop.asked.is_set():
        ready()
    await asyncio.gather(*keeping)
    # A worker that had not yet come to hear the signal ends by it.
    codes = [abs(worker.code) for worker in workers if worker.code != -signal.SIGTERM]
    return max(codes, default=0)


async def _end(process: Process, stop: Stop) -> None:
    await stop.asked.wait()
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.again.wait(), END_S)
            process.terminate()  # the second signal, which each hears as this one does
            await asyncio.sleep(END_S)
        process.kill()


async def _either(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()
