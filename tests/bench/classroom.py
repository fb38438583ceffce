"""Measure a class as a lesson does: phones, a run, the class's log, and whether its runs are valid.

`python -m tests.bench.classroom [--phones 6] [--seconds 30] [--chatter lively]`: a server, so many
phones (as tests/phones.py makes them, modes in turn) and the download, on a machine that does
nothing else; the chatter that is late is what makes a run void on a busy one.
"""

import argparse
import asyncio
import io
import sys
import tempfile
import zipfile
from pathlib import Path

from aiohttp import ClientSession

from clients.log import Log, read
from tests.bench.page import TOKEN, served
from tests.phones import MODES, phones

TEACHER = {"Authorization": f"Bearer {TOKEN}"}
HEAD = "mode   readers  requests  messages  mean ms  publisher late p99 ms  verdict"


async def main() -> int:
    """Measure, and print a line a mode; the exit code says whether all were valid."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.classroom")
    parser.add_argument("--phones", type=int, default=6)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--chatter", choices=["quiet", "lively", "storm"], default="lively")
    options = parser.parse_args()
    async with served() as url, ClientSession(url, headers=TEACHER) as teacher:
        async with phones(url, options.phones) as crowd:
            await asyncio.gather(*(phone.reported.wait() for phone in crowd))
            await measure(teacher, {"seconds": options.seconds, "chatter": options.chatter})
        async with teacher.get("/class/log.zip") as response:
            log = unpacked(await response.read())
    print(HEAD, *(line(log, mode) for mode in MODES), sep="\n")
    return 0 if log.runs["valid"].all() else 1


async def measure(teacher: ClientSession, run: dict[str, object]) -> None:
    """Let the class be measured, and wait until it has been."""
    async with teacher.post("/class/run", json=run) as response:
        response.raise_for_status()
    while True:
        await asyncio.sleep(1)
        async with teacher.get("/class") as response:
            if (await response.json())["run"]["result"] is not None:
                return


def unpacked(content: bytes) -> Log:
    """Read a log from a zip's bytes."""
    with tempfile.TemporaryDirectory() as folder:
        zipfile.ZipFile(io.BytesIO(content)).extractall(folder)
        return read(Path(folder))


def line(log: Log, mode: str) -> str:
    """Say what a mode's run came to."""
    (run,) = log.runs.filter(log.runs["mode"] == mode).to_dicts()
    arrived = log.deliveries.filter(log.deliveries["run"] == run["run"])
    latencies_ns = (arrived["received_ns"] - arrived["published_ns"]).to_list()
    mean_ms = sum(latencies_ns) / max(1, len(latencies_ns)) / 1e6
    late_ms = run["publisher_late_p99_ms"]
    return (
        f"{mode:5}  {run['clients']:7}  {run['requests']:8}  {run['messages']:8}"
        f"  {mean_ms:7.1f}  {late_ms:21.1f}"
        f"  {'valid' if run['valid'] else run['void_because']}"
    )


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
