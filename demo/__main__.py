"""Run the demo server: read the arguments, start, say where it listens, stop on a signal."""

import argparse
import asyncio
import contextlib
import gc
import os
import re
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

from demo.app import Settings, make_app
from demo.classroom.address import home_url, join_url
from demo.classroom.classroom import CLASSROOM
from demo.feed import DEFAULT_HISTORY
from demo.message import MAX_TEXT_BYTES
from demo.origins import is_loopback
from demo.serving import serving

PROGRAM = "python -m demo"
DEFAULT_PORT = 3001


def main() -> int:
    """Serve until SIGTERM or Ctrl-C; return the exit code."""
    options = parse(sys.argv[1:])
    with asyncio.Runner(loop_factory=LOOPS[options.loop]) as runner:
        try:
            runner.run(serve(options))
        except OSError as error:
            print(f"{PROGRAM}: {_mend(options, error)}", file=sys.stderr)
            return 2
    return 0


async def serve(options: argparse.Namespace) -> None:
    """Serve as the options say, until a signal comes."""
    stop = asyncio.Event()
    _on_signals(stop)
    if options.until_stdin_closes:
        _on_stdin_closed(stop)
    token = secrets.token_urlsafe() if options.token is None else options.token
    app = make_app(_settings(options, token), say=_say)
    async with serving(app, options.host, options.port) as urls:
        app[CLASSROOM].join_url = students = join_url(options.host, urls[0])
        if not is_loopback(options.host):
            _say(_exposure(options.host))
        _say(f"Teacher: {home_url(options.host, urls[0])}#token={token}")
        if students is not None:
            _say(f"Students: {students}")
        gc.freeze()  # what is here now stays: a full collection need not walk it every time
        _say(f"Listening on {' and '.join(urls)}")
        await stop.wait()


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; exit with 2 and one line when it is wrong."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=argparse.SUPPRESS,
        description=f"{PROGRAM} [options]: one chat feed by short polling, long polling, WebSocket",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="localhost", help="address to listen on")
    add("--port", default=DEFAULT_PORT, type=_port, help="port to listen on, 0 for a free one")
    add("--history", default=DEFAULT_HISTORY, type=_positive, help="messages kept for readers")
    add("--max-text-bytes", default=MAX_TEXT_BYTES, type=_positive, help="longest text taken")
    add(
        "--publish-rate",
        default=1000.0,
        type=_rate,
        help="messages/s from one address, 0: no limit",
    )
    add(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let pages of this origin join, such as https://example.org; may be repeated",
    )
    add("--deflate", action="store_true", help="compress on WebSockets that offer it")
    add(
        "--until-stdin-closes",
        action="store_true",
        help="stop when standard input closes too, so as not to outlive who started it",
    )
    add("--token", type=_token, help="the teacher's, instead of one made anew at each start")
    add("--loop", default=DEFAULT_LOOP, choices=list(LOOPS), help="event loop")
    return parser.parse_args(arguments)


def _loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    with contextlib.suppress(ImportError):  # not made for Windows
        import uvloop

        loops["uvloop"] = uvloop.new_event_loop
    return loops


LOOPS = _loops()
DEFAULT_LOOP = list(LOOPS)[-1]  # uvloop answers a poll for a quarter less CPU


def _settings(options: argparse.Namespace, token: str) -> Settings:
    return Settings(
        history=options.history,
        max_text_bytes=options.max_text_bytes,
        publish_per_s=options.publish_rate,
        allowed_origins=frozenset(options.allow_origin),
        loopback=is_loopback(options.host),
        deflate=options.deflate,
        token=token,
    )


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def ask(number: int, frame: FrameType | None) -> None:
        # Stopping takes a second at most; another signal would only spoil the exit code.
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        loop.call_soon_threadsafe(stop.set)

    for number in numbers:
        signal.signal(number, ask)


def _on_stdin_closed(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 1024):
            pass
        with contextlib.suppress(RuntimeError):  # the loop has closed: it has stopped already
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=watch, daemon=True).start()


def _say(line: str) -> None:
    print(line, flush=True)


def _exposure(host: str) -> str:
    return (
        f"Bound to {host}: everyone on this network can read the chat and post to it. "
        "Without --host, only this machine can."
    )


def _mend(options: argparse.Namespace, error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return f"--host {options.host} is not an address of this machine"
    reason = error.strerror or str(error)
    return (
        f"cannot listen on {options.host} port {options.port} ({reason}): stop what uses it, "
        "or choose another with --port (0 takes a free one)"
    )


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port, choose one from 0 to 65535")


def _token(text: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9._~-]+", text):
        return text
    raise argparse.ArgumentTypeError("a token is letters, digits, or any of . _ ~ -")


def _positive(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) >= 1:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")


def _rate(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")


if __name__ == "__main__":
    sys.exit(main())
