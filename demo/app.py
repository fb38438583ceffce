"""The app: one feed, three modes, and the routes that lead to them."""

import secrets
from collections.abc import Callable

import msgspec
from aiohttp import web

from demo import article, long_polling, publishing, short_polling, websocket
from demo.answers import ANSWERS, Answers
from demo.article import ROOM, plain_frame
from demo.bounds import Bounds
from demo.classroom import reading
from demo.classroom.classroom import CLASSROOM, Classroom
from demo.classroom.reading import LANES, Carry
from demo.classroom.routes import add_routes
from demo.classroom.settings import Mode
from demo.classroom.token import WRONG_PER_S, Token
from demo.counting import Handler, count_rest, counted_at_the_end
from demo.deflation import DEFLATION, Deflation
from demo.doors import DOORS, Doors
from demo.fanout import Fanout
from demo.feed import DEFAULT_HISTORY, Feed
from demo.holding import Answer, bounded
from demo.message import MAX_SENDER_CHARACTERS, MAX_TEXT_BYTES, encode
from demo.origins import Origins, gate, preflight
from demo.pace import PER_S, PER_S_HERE, PER_S_OF_CONNECTION
from demo.pages import PAGE, add_pages, file
from demo.parts import run_parts
from demo.publishing import MAX_REPORT_BYTES, PUBLISHING, Limits, Publishing, in_memory
from demo.queries import NO_STORE
from demo.sharing import (
    CLASSROOM_PATHS,
    KEPT,
    PARTS,
    SHARED,
    Durable,
    Shared,
    follow,
    hopping,
    no_classroom,
)
from demo.sockets import SOCKETS
from demo.stats import STATS, Stats, begin, count
from demo.tally import Tally
from demo.websocket import FANOUT

MODES: dict[Mode, tuple[str, Answer, Carry]] = {
    "short": (short_polling.PATH, short_polling.answer, reading.poll),
    "long": (long_polling.PATH, long_polling.answer, reading.poll),
    "ws": (websocket.PATH, websocket.answer, reading.session),
}


class Settings(msgspec.Struct, frozen=True):
    """What `python -m demo` can set.

    publish_per_s: None is what an address may by default, and more from this machine
    """

    history: int = DEFAULT_HISTORY
    max_text_bytes: int = MAX_TEXT_BYTES
    publish_per_s: float | None = None
    allowed_origins: frozenset[str] = frozenset()
    loopback: bool = True
    deflate: bool = False
    token: str | None = None
    worker: int = 1
    workers: int = 1
    max_body_bytes: int = 0
    max_sender_characters: int = MAX_SENDER_CHARACTERS
    bounds: Bounds = Bounds()
    publish_per_s_of_connection: float = PER_S_OF_CONNECTION
    max_report_bytes: int = MAX_REPORT_BYTES
    null_origin: bool = True
    names: frozenset[str] = frozenset()
    wrong_tokens_per_s: float = WRONG_PER_S


PATHS = frozenset(path for path, _, _ in MODES.values())
SETTINGS = web.AppKey("SETTINGS", Settings)


def make_app(
    settings: Settings = Settings(),
    feed: Feed | None = None,
    say: Callable[[str], None] = print,
    shared: Shared | None = None,
    durable: Durable | None = None,
) -> web.Application:
    """Make the app; `say` gets the lines that the server's output should show.

    The feed's log is a `shared` one, a `durable` one, or the memory of `feed`. With a shared one
    the app has no classroom, whose state would be that of one server.
    """
    limits = _limits(settings)
    origins = Origins(
        settings.loopback, settings.allowed_origins, settings.null_origin, settings.names
    )
    app = web.Application(
        middlewares=[gate(origins, say), count_rest(PATHS)], client_max_size=limits.body_bytes
    )
    app[PARTS] = []
    kept = shared or durable
    if kept is not None:
        feed = kept.feed
        app[KEPT] = kept
        app.cleanup_ctx.append(follow)
    feed = Feed(settings.history) if feed is None else feed
    app[SETTINGS] = settings
    app[STATS] = Stats(list(MODES))
    app[DOORS] = Doors(settings.bounds, app[STATS], say)
    app[ANSWERS] = Answers(feed)
    append = in_memory(feed) if kept is None else kept.append
    app[PUBLISHING] = Publishing(
        append, limits, app[STATS].refusals, settings.bounds.site, open_of=app[DOORS].open_of
    )
    app[SOCKETS] = {}
    app[FANOUT] = Fanout(feed, lambda entry: entry.frame)
    app[ROOM] = Fanout(feed, plain_frame)
    if settings.deflate:
        app[DEFLATION] = Deflation(feed)
    app.cleanup_ctx.append(run_parts)
    app.router.add_post(publishing.PATH, publishing.post_message)
    app.router.add_options(publishing.PATH, preflight)
    app.router.add_get("/echo", article.echo)
    app.router.add_get("/stats", _get_stats)
    if shared is None:
        secret = secrets.token_urlsafe() if settings.token is None else settings.token
        token = Token(secret, settings.wrong_tokens_per_s)
        app[CLASSROOM] = Classroom(feed, app[STATS], token, durable=durable, bounds=settings.bounds)
        app[LANES] = app[CLASSROOM].lanes
        _add_routes(app)
    else:
        app[SHARED] = shared
        _add_shared_routes(app)
    return app


def _limits(settings: Settings) -> Limits:
    per_s = settings.publish_per_s
    return Limits(
        text_bytes=settings.max_text_bytes,
        per_s=PER_S if per_s is None else per_s,
        per_s_here=PER_S_HERE if per_s is None else per_s,
        per_s_of_connection=settings.publish_per_s_of_connection,
        json_bytes=settings.max_body_bytes,
        sender_characters=settings.max_sender_characters,
        body_s=settings.bounds.request_s,
        report_bytes=settings.max_report_bytes,
    )


def _add_shared_routes(app: web.Application) -> None:
    for mode, (path, answer, _) in MODES.items():
        app.router.add_get(path, hopping(_bounded(app, mode, answer), app[STATS].modes[mode]))
    app.router.add_get("/", _front_door(no_classroom))
    for path in CLASSROOM_PATHS:
        app.router.add_route("*", path, no_classroom)


def _add_routes(app: web.Application) -> None:
    stats = app[STATS]
    for mode, (path, answer, carry) in MODES.items():
        handler = _counted(mode, _bounded(app, mode, answer), carry, stats.modes[mode])
        app.router.add_get(path, handler)
    app.router.add_get("/", _front_door(file(PAGE / "index.html")))
    add_routes(app)
    add_pages(app)


def _bounded(app: web.Application, mode: Mode, answer: Answer) -> Answer:
    return bounded(answer, app[DOORS].bounds, app[STATS].refusals) if mode == "long" else answer


def _counted(mode: Mode, answer: Answer, carry: Carry, tally: Tally) -> Handler:
    async def handler(request: web.Request) -> web.StreamResponse:
        if reading.named(request):
            return await counted_at_the_end(request, lambda each: carry(each, mode, answer))
        return await answer(request, count(request, tally))

    return handler


def _front_door(page: Handler) -> Handler:
    """Open the page; to a WebSocket, open the article's room."""

    async def handler(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await article.room(request)
        return await page(request)

    return handler


def _behind(app: web.Application) -> int:
    compressed = app[DEFLATION].behind if DEFLATION in app else 0
    return app[FANOUT].behind + app[ROOM].behind + compressed


async def _get_stats(request: web.Request) -> web.Response:
    """Answer with every counter of this process; what each means is in demo/tally.py.

    Where several workers share the port, `worker` of `workers` says which of them has answered.
    `behind` are the WebSockets whose readers take less than there is: see fanout.py.
    """
    begin(request, request.app[STATS].other)
    feed = request.app[ANSWERS].feed
    settings = request.app[SETTINGS]
    figures = {
        "worker": settings.worker,
        "workers": settings.workers,
        "epoch": feed.epoch,
        "head": feed.head,
        "oldest": feed.oldest,
        "behind": _behind(request.app),
        **request.app[STATS].snapshot(),
    }
    return web.Response(body=encode(figures), content_type="application/json", headers=NO_STORE)
