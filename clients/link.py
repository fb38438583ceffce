"""An emulated line between clients and server: a relay that holds every byte back for a while.

Runs as a process of its own, `python -m clients.link TARGET`, so that its work is nobody's latency
but its own. The kernel's netem would need root and a module; this needs neither.
"""

import argparse
import asyncio
import itertools
import random
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

from clients.dialling import connect, source
from clients.direction import LIMIT_BYTES, Direction, Line
from clients.files import allow_all_files
from clients.timing import new_event_loop
from clients.worker import end_with_stdin, say


class End(asyncio.Protocol):
    """One end of a connection: what it reads goes `out`, what arrives comes `back`."""

    def __init__(self, out: Direction, back: Direction) -> None:
        self.out = out
        self.back = back

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take part: what was on its way to this end can arrive now."""
        self.back.to = self.out.source = cast(asyncio.Transport, transport)
        self.back.to.set_write_buffer_limits(LIMIT_BYTES)
        self.back.deliver()

    def data_received(self, data: bytes) -> None:
        """Put it on the line."""
        self.out.send(data)

    def pause_writing(self) -> None:
        """Hold back whoever sends to this end, which takes no more."""
        self.back.fill(full=True)

    def resume_writing(self) -> None:
        """Let it go on."""
        self.back.fill(full=False)

    def connection_lost(self, _: Exception | None) -> None:
        """Tell the other end, as late as it would hear of it."""
        self.back.to = None
        self.out.send(None)


class Relay:
    """Accept connections and lead each to the target, over the line.

    sources: from how many loopback addresses the target is reached
    """

    def __init__(self, host: str, port: int, line: Line, seed: str, sources: int = 1) -> None:
        self._target = host, port
        self._line = line
        self._sources = itertools.cycle(source(number, sources) for number in range(sources))
        self._chance = random.Random(seed)
        self._dialling: set[asyncio.Task[None]] = set()

    def accept(self) -> asyncio.Protocol:
        """Make the near end of a new connection."""
        return self.join()

    def join(self) -> End:
        """Make the near end of a connection that is led on, and dial the far one."""
        up, down = Direction(self._line, self._chance), Direction(self._line, self._chance)
        up.open_after(self._line.rtt_s)
        task = asyncio.create_task(self._dial(up, down))
        self._dialling.add(task)
        task.add_done_callback(self._dialling.discard)
        return End(up, down)

    async def _dial(self, up: Direction, down: Direction) -> None:
        try:
            await connect(lambda: End(down, up), *self._target, next(self._sources))
        except OSError:
            down.send(None)  # refused: the near end is closed


async def relay(
    options: argparse.Namespace,
    kind: type[Relay] = Relay,
    heed: Callable[[Any, asyncio.Task[None]], None] = lambda _, serving: end_with_stdin(serving),
) -> None:
    """Relay until the process is ended, or standard input closes; print the address first.

    heed: hears what standard input says to the relay, and ends it with that
    """
    target = urlsplit(options.target)
    line = Line(options.rtt_ms / 1e3, options.jitter_ms / 1e3, options.kbit_per_s * 125)
    host, port = target.hostname or "", target.port or 80
    accepting = kind(host, port, line, options.seed, options.sources)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(accepting.accept, "127.0.0.1", 0, backlog=4096)
    say(b"Listening on http://127.0.0.1:%d" % server.sockets[0].getsockname()[1])
    serving = asyncio.create_task(server.serve_forever())
    heed(accepting, serving)
    await asyncio.wait({serving})


def parse(program: str, description: str | None) -> argparse.Namespace:
    """Read the arguments of a process that is a line."""
    parser = argparse.ArgumentParser(prog=program, description=description)
    parser.add_argument("target", help="the server's address, such as http://127.0.0.1:3001")
    parser.add_argument("--rtt-ms", type=float, default=0.0, help="round trip of the line")
    parser.add_argument("--jitter-ms", type=float, default=0.0, help="up to so much more, each way")
    parser.add_argument("--kbit-per-s", type=float, default=0.0, help="bandwidth, 0: no limit")
    parser.add_argument("--seed", default="0", help="for the jitter")
    parser.add_argument("--sources", type=int, default=1, help="loopback addresses to come from")
    return parser.parse_args()


def main() -> None:
    """Read the arguments and relay."""
    options = parse("python -m clients.link", __doc__)
    allow_all_files()
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(relay(options))


if __name__ == "__main__":
    main()
