"""The command line of the demo server, parsed once. A wrong one ends with 2 and one line."""

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Callable

from demo.arguments import MEMORY, feed, natural, origin, port, positive, rate, token
from demo.bounds import add_bounds
from demo.classroom.token import WRONG_PER_S
from demo.feed import DEFAULT_HISTORY
from demo.message import MAX_SENDER_CHARACTERS, MAX_TEXT_BYTES
from demo.pace import PER_S, PER_S_HERE, PER_S_OF_CONNECTION
from demo.publishing import MAX_REPORT_BYTES

PROGRAM = "python -m demo"
DEFAULT_PORT = 3001


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Tell the default of each option that has one."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line; exit with 2 and one line when it is wrong."""
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage=argparse.SUPPRESS,
        description=f"{PROGRAM} [options]: one chat feed by short polling, long polling, WebSocket",
        formatter_class=Help,
    )
    add = parser.add_argument
    add("--host", default="localhost", help="address to listen on")
    add("--port", default=DEFAULT_PORT, type=port, help="port to listen on, 0 for a free one")
    add("--history", default=DEFAULT_HISTORY, type=positive, help="messages kept for readers")
    add("--max-text-bytes", default=MAX_TEXT_BYTES, type=positive, help="longest text taken")
    add(
        "--max-body-bytes",
        default=0,
        type=natural,
        help="longest JSON taken, 0: what the longest text may need",
    )
    add(
        "--max-sender-characters",
        default=MAX_SENDER_CHARACTERS,
        type=positive,
        help="longest sender taken",
    )
    add(
        "--publish-rate",
        type=rate,
        help=f"messages/s from one address, 0: no limit (default: {PER_S}, and {PER_S_HERE} from "
        "this machine)",
    )
    add(
        "--publish-rate-per-connection",
        default=PER_S_OF_CONNECTION,
        type=rate,
        help="messages/s over one connection, 0: no limit",
    )
    add(
        "--max-report-bytes",
        default=MAX_REPORT_BYTES,
        type=positive,
        help="longest JSON that the class takes from a reader or the teacher",
    )
    add(
        "--allow-origin",
        action="append",
        default=[],
        type=origin,
        metavar="ORIGIN",
        help="let pages of this origin join, such as https://example.org; may be repeated",
    )
    add(
        "--no-null-origin",
        dest="null_origin",
        action="store_false",
        help="let no file opened from disk join, nor a frame of any page, which passes for one",
    )
    add("--deflate", action="store_true", help="compress on WebSockets that offer it")
    add(
        "--until-stdin-closes",
        action="store_true",
        help="stop when standard input closes too, so as not to outlive who started it",
    )
    add("--token", type=token, help="the teacher's, instead of one made anew at each start")
    add(
        "--wrong-token-rate",
        default=WRONG_PER_S,
        type=rate,
        help="wrong tokens/s from one address, where --token is short; 0: no limit",
    )
    add("--loop", default=DEFAULT_LOOP, choices=list(LOOPS), help="event loop")
    add(
        "--feed",
        default=MEMORY,
        type=feed,
        metavar="URL",
        help="where the log is: memory, a file, sqlite:///feed.db (sqlite:////var/feed.db from the "
        "root), or a Redis that servers share, redis://host:6379/0",
    )
    add("--workers", default=1, type=positive, help="processes that share the port, by Redis")
    add_bounds(add)
    options = parser.parse_args(arguments)
    if wrong := _contradiction(options):
        parser.error(wrong)
    return options


def _contradiction(options: argparse.Namespace) -> str | None:
    is_shared = options.feed.startswith("redis")
    if is_shared and options.token is not None:
        return "--token is the classroom's, and a feed that servers share has none: leave it out"
    if options.workers > 1 and not is_shared:
        return (
            f"--workers {options.workers} needs --feed redis://...: a memory or a file is of one "
            "process, and what one takes, the readers of the others would never get"
        )
    if options.workers > 1 and sys.platform != "linux":
        return (
            "--workers needs Linux, whose kernel spreads the connections over processes that share "
            "a port: elsewhere start several servers, each at a --port of its own"
        )
    return None


def _loops() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    with contextlib.suppress(ImportError):  # not made for Windows
        import uvloop

        loops["uvloop"] = uvloop.new_event_loop
    return loops


LOOPS = _loops()
DEFAULT_LOOP = list(LOOPS)[-1]  # uvloop answers a poll for a quarter less CPU
