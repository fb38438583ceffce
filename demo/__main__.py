"""Run the demo server: start as the options say, tell where it listens, stop on a signal."""

import argparse
import asyncio
import gc
import secrets
import socket
import sys
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from aiohttp import web

from demo.assembly import app_of
from demo.classroom.address import home_url, join_url
from demo.classroom.classroom import CLASSROOM
from demo.doors import DOORS
from demo.feed import Away
from demo.files import NO_FILES, allow_files
from demo.names import is_loopback
from demo.options import LOOPS, PROGRAM, parse
from demo.output import Output
from demo.parts import until_one_fails
from demo.serving import bind, place, serving, urls
from demo.stop import Stop, ignore_signals, on_signals, on_stdin_closed
from demo.workers import LISTENING, Worker, run_workers

Say = Callable[[str], None]
Service = Callable[[argparse.Namespace, Say], Coroutine[None, None, int]]

# Seldom: a full collection walks all that thousands of connections keep, and stands still for as
# long; by Python's own measure it would do so during every burst of requests.
COLLECT = (50_000, 50, 100)

REDIS = "redis[hiredis]>=8,<9"  # hiredis, since parsing in Python costs seven times as much


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    options = parse(sys.argv[1:])
    allow_files()
    if options.workers == 1:
        return run(options, serve)
    return run(options, partial(serve_by_workers, arguments=sys.argv[1:]))


def run(options: argparse.Namespace, service: Service) -> int:
    """Run what serves; if it cannot begin, say why in one line and return 2."""
    output = Output(sys.stdout)
    with asyncio.Runner(loop_factory=LOOPS[options.loop]) as runner:
        try:
            return runner.run(service(options, output.say))
        except Away as away:
            line = str(away)
        except ModuleNotFoundError as error:
            install = f"{sys.executable} -m pip install '{REDIS}'"
            line = f"--feed redis:// needs the package {error.name}, install it with {install}"
        except OSError as error:
            line = _mend(options, error)
        finally:
            ignore_signals()
            output.end()
    print(f"{PROGRAM}: {line}", file=sys.stderr)
    return 2


async def serve(options: argparse.Namespace, say: Say, worker: int | None = None) -> int:
    """Serve as the options say, until a signal comes, alone or as one of the workers."""
    stop = _stop(options)
    token = secrets.token_urlsafe() if options.token is None else options.token
    app = app_of(options, say, token, worker or 1)
    serves = serving(app, options.host, options.port, share_port=worker is not None, stop=stop)
    async with AsyncExitStack() as stack:
        found = await stop.unless_asked(stack.enter_async_context(serves))
        if found is None:
            return 0
        if not is_loopback(options.host) and worker is None:
            say(_exposure(options.host, classroom=CLASSROOM in app))
        if CLASSROOM in app:
            _open_classroom(app, options.host, found[0], token, say)
        _hear_of_files(app)
        gc.freeze()  # what is here now stays: a full collection need not walk it every time
        gc.set_threshold(*COLLECT)
        say(f"{LISTENING}{' and '.join(found)}")
        await until_one_fails(app, stop.asked)
    if stop.again.is_set() and stop.cut_off:
        say(f"Stopped at once: {stop.cut_off} connections were cut off")
    return 0


async def serve_by_workers(options: argparse.Namespace, say: Say, arguments: list[str]) -> int:
    """Have several processes serve one port, as the options say, until a signal comes."""
    stop = _stop(options)
    # Bound and never listened at: the port stays ours while workers come and go.
    sockets = bind(options.host, options.port)
    host, port = place(options.host, sockets)
    arguments = [*arguments, "--host", host, "--port", str(port), "--until-stdin-closes"]
    workers = [Worker(number, arguments, say) for number in range(1, options.workers + 1)]
    if not is_loopback(options.host):
        say(_exposure(options.host, classroom=False))
    try:
        return await run_workers(
            workers, stop, lambda: say(f"{LISTENING}{' and '.join(urls(sockets))}")
        )
    finally:
        for sock in sockets:
            sock.close()


def _hear_of_files(app: web.Application) -> None:
    """Count connections that the event loop could not accept, instead of a traceback for each."""

    def hear(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in NO_FILES:
            app[DOORS].note_no_files()
        else:
            loop.default_exception_handler(context)

    asyncio.get_running_loop().set_exception_handler(hear)


def _open_classroom(app: web.Application, host: str, url: str, token: str, say: Say) -> None:
    app[CLASSROOM].join_url = students = join_url(host, url)
    say(f"Teacher: {home_url(host, url)}#token={token}")
    if students is not None:
        say(f"Students: {students}")


def _stop(options: argparse.Namespace) -> Stop:
    stop = Stop()
    on_signals(stop)
    if options.until_stdin_closes:
        on_stdin_closed(stop)
    return stop


def _exposure(host: str, *, classroom: bool) -> str:
    page = ", and open the page; only the teacher's token changes the class" if classroom else ""
    return (
        f"Bound to {host}: everyone on this network can read the chat and post to it, see the "
        f"counters (/stats){page}. Without --host, only this machine can."
    )


def _mend(options: argparse.Namespace, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"--host {options.host} is not an address of this machine"
    reason = error.strerror or str(error)
    return (
        f"cannot listen on {options.host} port {options.port} ({reason}): stop what uses it, "
        "or choose another with --port (0 takes a free one)"
    )


if __name__ == "__main__":
    sys.exit(main())
