"""Hold the server against the Autobahn testsuite, which is the usual proof of a WebSocket server.

    python -m tests.autobahn --wstest 'python2.7 wstest'

It is not among what the tests install, since it needs Python 2.7; docs/conformance.md says how to
get it. The room and the echo are tried as they are; both take text alone, and the room no control
characters; so cases that need more do not count, if they were answered with the code that says so.
"""

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from asyncio import StreamReader, StreamWriter
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from demo.frames import TEXT, text_frame
from tests.fuzz.server import started

SECTIONS = ("1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.*", "10.*")
# Section 9 sends 16 MiB, and as fast as it can.
LONGEST = ("--max-text-bytes", str(17 * 1024 * 1024), "--history", "1", "--publish-rate", "0")
GOOD = {"OK", "NON-STRICT", "INFORMATIONAL"}
BINARY, REFUSED = 1003, 1008
WITH_CONTROLS = {"6.7.1", "6.7.2", "6.9.1"}
BEFORE, AFTER = b'Server received your message: "', b'"'


def main() -> int:
    """Run the suite against both, print what came of it, return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.autobahn")
    parser.add_argument("--wstest", required=True, type=shlex.split, help="how to run wstest")
    parser.add_argument("--cases", nargs="*", default=SECTIONS, help="such as 1.* 7.1.6")
    options = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 140)
    try:
        with tempfile.TemporaryDirectory() as folder, console.status("Autobahn"):
            verdicts = asyncio.run(_run(options.wstest, list(options.cases), Path(folder)))
    except (OSError, RuntimeError) as error:  # it is not there, or the server printed something
        console.print(f"{error}: docs/conformance.md says how to get wstest", soft_wrap=True)
        return 2
    console.print(_table(verdicts))
    failed = [
        (name, *each) for name, cases in verdicts.items() for each in cases if each[1] == "FAILED"
    ]
    for name, case, _, description in failed:
        console.print(f"FAILED {name} {case}: {description}", markup=False, soft_wrap=True)
    return 1 if failed or not all(verdicts.values()) else 0


Verdicts = dict[str, list[tuple[str, str, str]]]  # of each agent: case, verdict, description


async def _run(wstest: list[str], cases: list[str], folder: Path) -> Verdicts:
    async with started(LONGEST) as server:
        relay = await asyncio.start_server(
            lambda *streams: _without_words(server.port, *streams), "127.0.0.1", 0
        )
        port = relay.sockets[0].getsockname()[1]
        urls = {"room": f"{server.url}/", "echo": f"http://127.0.0.1:{port}/echo"}
        async with relay:
            verdicts = {
                name: await _verdicts(wstest, name, url.replace("http", "ws"), cases, folder)
                for name, url in urls.items()
            }
    if server.wrong:
        raise RuntimeError(f"the server printed {server.wrong}")
    return verdicts


async def _verdicts(
    wstest: list[str], name: str, url: str, cases: list[str], folder: Path
) -> list[tuple[str, str, str]]:
    out, spec = folder / name, folder / f"{name}.json"
    servers = [{"agent": name, "url": url, "options": {"version": 18}}]
    spec.write_text(
        json.dumps(
            {"outdir": str(out), "servers": servers, "cases": cases}
            | {"exclude-cases": [], "exclude-agent-cases": {}}
        )
    )
    process = await asyncio.create_subprocess_exec(
        *wstest, "-m", "fuzzingclient", "-s", str(spec), stdout=asyncio.subprocess.DEVNULL
    )
    if await process.wait():
        raise RuntimeError("wstest does not run")
    index: dict[str, dict[str, Any]] = json.loads((out / "index.json").read_text())[name]
    order = sorted(index, key=lambda case: [int(part) for part in case.split(".")])
    return [
        _verdict(case, json.loads((out / index[case]["reportfile"]).read_text())) for case in order
    ]


def _verdict(case: str, report: dict[str, Any]) -> tuple[str, str, str]:
    verdict, code = report["behavior"], report["remoteCloseCode"]
    description = " ".join(report["description"].split())
    if verdict not in GOOD or report["behaviorClose"] not in GOOD:
        verdict = "FAILED"
        if "binary" in description.lower() and code == BINARY:
            verdict = "text only"
        elif case in WITH_CONTROLS and code == REFUSED:
            verdict = "refused"
    return case, verdict, description


def _table(verdicts: Verdicts) -> Table:
    kinds = [*sorted(GOOD, reverse=True), "text only", "refused", "FAILED"]
    table = Table("server", "section", "cases", *kinds)
    for name, cases in verdicts.items():
        sections = Counter(case.partition(".")[0] for case, _, _ in cases)
        for section, count in sections.items():
            found = Counter(
                verdict for case, verdict, _ in cases if case.partition(".")[0] == section
            )
            table.add_row(name, section, str(count), *(str(found[kind] or "") for kind in kinds))
    return table


async def _without_words(port: int, reader: StreamReader, writer: StreamWriter) -> None:
    """Stand before the echo, and take off the words that it puts round each text."""
    there, back = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(_pass_on(reader, back))
            both.create_task(_take_off(there, writer))
    except* (OSError, EOFError):
        pass
    finally:
        writer.close()
        back.close()


async def _pass_on(reader: StreamReader, writer: StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


async def _take_off(reader: StreamReader, writer: StreamWriter) -> None:
    writer.write(await reader.readuntil(b"\r\n\r\n"))
    while True:
        head = await reader.readexactly(2)
        size = head[1]
        if wide := {126: 2, 127: 8}.get(size):
            size = int.from_bytes(await reader.readexactly(wide))
        payload = await reader.readexactly(size)
        if head[0] == TEXT:
            writer.write(text_frame(payload.removeprefix(BEFORE).removesuffix(AFTER)))
        else:
            writer.write(head + payload)
        await writer.drain()


if __name__ == "__main__":
    sys.exit(main())
