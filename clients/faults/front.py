"""nginx before a server, for as long as it is wanted; it goes with who started it, folder and all.

Runs as a process of its own, `python -m clients.faults.front URL FOLDER`, which says where nginx
listens, or what it has complained of instead. It ends with standard input: who started it has gone.
"""

import asyncio
import contextlib
import shutil
import signal
import socket
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from clients.faults.nginx import SERVERS, configuration, program
from clients.worker import end_with_stdin, say

START_S = 10.0
STOP_S = 2.0  # less than whoever started this waits for it
LOOK_AGAIN_S = 0.02

Ending = asyncio.Task[tuple[bytes, bytes]]


async def stand(url: str, folder: Path) -> None:
    """Have nginx listen, say so, and wait until it ends."""
    port = _free_port()
    page = configuration(SERVERS % {"server": urlsplit(url).netloc, "port": port})
    (folder / "nginx.conf").write_text(page, encoding="utf-8")
    nginx = await asyncio.create_subprocess_exec(
        *(program(), "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"),
        stdin=DEVNULL,
        stderr=PIPE,
    )
    ending = asyncio.create_task(nginx.communicate())
    try:
        if await _listens(port, ending):
            say(b"Listening on http://127.0.0.1:%d" % port)
            await asyncio.wait({ending})
    finally:
        await _stop(nginx, ending)
    _, complaints = await ending
    say(*complaints.strip().splitlines()[-1:])


async def _listens(port: int, ending: Ending) -> bool:
    """Wait until it takes connections; return whether it does."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while not ending.done():
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    await asyncio.sleep(LOOK_AGAIN_S)
                else:
                    writer.close()
                    return True
    return False


async def _stop(nginx: Process, ending: Ending) -> None:
    """End it and its workers, kindly at first."""
    with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):  # it has ended by itself
        master = psutil.Process(nginx.pid)
        workers = master.children()
        nginx.terminate()
        await asyncio.wait({ending}, timeout=STOP_S)
        for process in (master, *workers):
            if process.is_running():
                process.kill()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
    return port


async def serve(url: str, folder: Path) -> int:
    """Keep nginx until this process is to end, and return 0; or until nginx ends, and return 1."""
    standing = asyncio.create_task(stand(url, folder))
    with contextlib.suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, standing.cancel)
    end_with_stdin(standing)
    await asyncio.wait({standing})
    shutil.rmtree(folder, ignore_errors=True)  # who made it may have been killed
    if standing.cancelled():
        return 0
    standing.result()
    return 1


if __name__ == "__main__":
    sys.exit(asyncio.run(serve(sys.argv[1], Path(sys.argv[2]))))
