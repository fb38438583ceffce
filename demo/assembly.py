"""The app that a command line asks for."""

import argparse
import socket
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from demo.app import Settings, make_app
from demo.arguments import SQLITE
from demo.bounds import bounds_of
from demo.names import is_loopback, names_of
from demo.sharing import Durable, Shared


def app_of(
    options: argparse.Namespace, say: Callable[[str], None], token: str, worker: int
) -> web.Application:
    """Make the app; `say` gets the lines that the server's output should show."""
    settings = _settings(options, token, worker)
    return make_app(settings, say=say, shared=_shared(options, say), durable=_durable(options, say))


def _settings(options: argparse.Namespace, token: str, worker: int) -> Settings:
    return Settings(
        history=options.history,
        max_text_bytes=options.max_text_bytes,
        publish_per_s=options.publish_rate,
        allowed_origins=frozenset(options.allow_origin),
        loopback=is_loopback(options.host),
        deflate=options.deflate,
        token=token,
        worker=worker,
        workers=options.workers,
        max_body_bytes=options.max_body_bytes,
        max_sender_characters=options.max_sender_characters,
        bounds=bounds_of(options),
        publish_per_s_of_connection=options.publish_rate_per_connection,
        max_report_bytes=options.max_report_bytes,
        null_origin=options.null_origin,
        wrong_tokens_per_s=options.wrong_token_rate,
        names=names_of(options.host, socket.gethostname()),
    )


def _shared(options: argparse.Namespace, say: Callable[[str], None]) -> Shared | None:
    if not options.feed.startswith("redis"):
        return None
    from demo.shared import SharedFeed

    return SharedFeed(options.feed, options.history, say)


def _durable(options: argparse.Namespace, say: Callable[[str], None]) -> Durable | None:
    if not options.feed.startswith(SQLITE):
        return None
    from demo.durable import DurableFeed

    return DurableFeed(Path(options.feed.removeprefix(SQLITE)), options.history, say)
