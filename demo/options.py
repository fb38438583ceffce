"""The command line of the demo server, parsed once. A wrong one ends with 2 and one line."""

import argparse
import asyncio
import contextlib
import re
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

from demo.feed import DEFAULT_HISTORY
from demo.message import MAX_TEXT_BYTES

PROGRAM = "python -m demo"
DEFAULT_PORT = 3001
MEMORY = "memory"


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
    add(
        "--feed",
        default=MEMORY,
        type=_feed,
        metavar="URL",
        help="where the log is: memory, or a Redis that servers share, redis://host:6379/0",
    )
    add("--workers", default=1, type=_positive, help="processes that share the port, by Redis")
    options = parser.parse_args(arguments)
    if wrong := _contradiction(options):
        parser.error(wrong)
    return options


def _contradiction(options: argparse.Namespace) -> str | None:
    if options.feed != MEMORY and options.token is not None:
        return "--token is the classroom's, and a feed that servers share has none: leave it out"
    if options.workers > 1 and options.feed == MEMORY:
        return (
            f"--workers {options.workers} needs --feed redis://...: each process has a memory of "
            "its own, and what one takes, the readers of the others would never get"
        )
    if options.workers > 1 and not hasattr(socket, "SO_REUSEPORT"):
        return "--workers needs a system where processes can share a port, such as Linux"
    return None


def _loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    with contextlib.suppress(ImportError):  # not made for Windows
        import uvloop

        loops["uvloop"] = uvloop.new_event_loop
    return loops


LOOPS = _loops()
DEFAULT_LOOP = list(LOOPS)[-1]  # uvloop answers a poll for a quarter less CPU


def _port(text: str) -> int:
    if text.isascii() and text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port, choose one from 0 to 65535")


def _feed(text: str) -> str:
    with contextlib.suppress(ValueError):  # such as a port that is no number
        parts = urlsplit(text)
        if text == MEMORY or (parts.scheme in {"redis", "rediss"} and parts.port != 0):
            return text
    raise argparse.ArgumentTypeError(f"{text!r} is neither memory nor such as redis://host:6379/0")


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
