"""The routes of the class. Each checks what it is given and answers a 4xx that says what to do."""

import asyncio

import msgspec
from aiohttp import web

from demo.classroom.archive import archive
from demo.classroom.bodies import answer, read_as
from demo.classroom.classroom import CLASSROOM
from demo.classroom.guesses import Guess
from demo.classroom.lanes import Lane, Unknown
from demo.classroom.line import LineChange
from demo.classroom.qr import qr_svg
from demo.classroom.reading import arrival
from demo.classroom.reports import Report, TooOften
from demo.classroom.run import RunRequest
from demo.classroom.runs import Busy
from demo.counting import Handler
from demo.feed import Away
from demo.origins import let_read
from demo.queries import NO_STORE, problem
from demo.stats import STATS, begin

MAX_ASKED = 100  # readers in one request for tallies
LOG_FILE = 'attachment; filename="class-log.zip"'


def add_routes(app: web.Application) -> None:
    """Add the class's routes."""
    get, post = app.router.add_get, app.router.add_post
    get("/class", get_class)
    get("/class/clock", get_clock)
    get("/class/tallies", get_tallies)
    get("/class/wire", get_wire)
    get("/class/join.svg", get_join)
    get("/class/log.zip", teachers(get_log))
    post("/class/settings", teachers(post_settings))
    post("/class/restart", teachers(post_restart))
    post("/class/run", teachers(post_run))
    post("/class/readers/{reader}/line", teachers(post_line))
    post("/class/reports", post_report)
    post("/class/guesses", post_guess)


def teachers(handler: Handler) -> Handler:
    """Let only the teacher in."""

    async def check(request: web.Request) -> web.StreamResponse:
        request.app[CLASSROOM].token.demand(request)
        return await handler(request)

    return check


async def get_class(request: web.Request) -> web.Response:
    """Answer with the class's state."""
    room = request.app[CLASSROOM]
    now_s = asyncio.get_running_loop().time()
    return answer(room.shown(now_s, teacher=room.token.given(request)))


async def get_clock(request: web.Request) -> web.Response:
    """Answer with the clock of published_ns, so that a page can estimate how far off its own is."""
    return answer({"now_ns": request.app[CLASSROOM].now_ns()})


async def get_tallies(request: web.Request) -> web.Response:
    """Answer with the counters of some readers; a reader that is not known is left out."""
    room = request.app[CLASSROOM]
    names = request.query.get("readers", "").split(",")
    if not names[0] or len(names) > MAX_ASKED:
        line = f"name 1 to {MAX_ASKED} readers: /class/tallies?readers=a,b,c"
        raise problem(web.HTTPBadRequest, line)
    lanes = {name: room.lanes.by_name[name] for name in names if name in room.lanes.by_name}
    head, epoch = room.feed.head, room.feed.epoch
    return answer({name: _counters(lane, epoch, head) for name, lane in lanes.items()})


async def get_wire(request: web.Request) -> web.Response:
    """Answer with the bytes of a reader's last exchange."""
    return answer(_known(request, request.query.get("reader", "")).wire.shown())


async def get_join(request: web.Request) -> web.Response:
    """Answer with a QR code of the students' address."""
    url = request.app[CLASSROOM].join_url
    if url is None:
        line = "only this machine can join: start the server with --host 0.0.0.0"
        raise problem(web.HTTPNotFound, line)
    body = await asyncio.to_thread(qr_svg, url)
    return web.Response(body=body, content_type="image/svg+xml", headers=NO_STORE)


async def get_log(request: web.Request) -> web.StreamResponse:
    """Answer with what the class has measured, as a log that `python -m analysis` draws."""
    material = request.app[CLASSROOM].material()
    if not material.runs:
        line = "nothing has been measured yet: begin a run, and wait until it has ended"
        raise problem(web.HTTPConflict, line)
    begin(request, request.app[STATS].other)  # first, or its bytes would be the last poll's
    response = web.StreamResponse(headers={**NO_STORE, "Content-Disposition": LOG_FILE})
    response.content_type = "application/zip"
    let_read(request, response)
    await response.prepare(request)
    pieces = archive(material)
    # In another thread, a piece at a time: meanwhile the class is answered.
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        await response.write(piece)
    await response.write_eof()
    return response


async def post_settings(request: web.Request) -> web.Response:
    """Change some settings; answer with all."""
    changes = await read_as(request, dict[str, object], '{"interval_s": 2}')
    try:
        return answer(request.app[CLASSROOM].change(changes))
    except msgspec.ValidationError as error:
        raise problem(web.HTTPBadRequest, f'{error}: send such as {{"interval_s": 2}}') from None


async def post_restart(request: web.Request) -> web.Response:
    """Let the feed begin anew; answer with its new epoch."""
    room = request.app[CLASSROOM]
    try:
        await room.restart()
    except Away as away:
        raise problem(web.HTTPServiceUnavailable, str(away)) from None
    return answer({"epoch": room.feed.epoch, "head": room.feed.head})


async def post_run(request: web.Request) -> web.Response:
    """Begin a measured run; answer with it."""
    asked = await read_as(request, RunRequest, '{"seconds": 60, "chatter": "lively"}')
    room = request.app[CLASSROOM]
    try:
        room.start(asked)
    except Busy as busy:
        raise problem(web.HTTPConflict, str(busy)) from None
    return answer(room.runs.shown())


async def post_line(request: web.Request) -> web.Response:
    """Cut, stall or slow a reader's line."""
    change = await read_as(request, LineChange, '{"cut_s": 3}')
    given = [value for value in msgspec.structs.astuple(change) if value is not None]
    if len(given) != 1:
        line = 'send one of {"cut_s": 3}, {"stall_s": 3}, {"slow_bytes_per_s": 200}'
        raise problem(web.HTTPBadRequest, line)
    reader = request.match_info["reader"]
    _known(request, reader)
    request.app[CLASSROOM].change_line(reader, change)
    return answer({"reader": reader, **msgspec.structs.asdict(change)})


async def post_report(request: web.Request) -> web.Response:
    """Keep what a reader has seen; answer with what it should know of the class."""
    report = await read_as(request, Report, "rows as the page sends them")
    room = request.app[CLASSROOM]
    try:
        lane, left_out = room.reports.take(report)
    except ValueError as error:
        raise problem(web.HTTPBadRequest, str(error)) from None
    except TooOften as error:
        request.app[STATS].refusals.reports += 1
        raise problem(web.HTTPTooManyRequests, str(error)) from None
    except Unknown as error:
        if not room.lanes.is_stranger(report.reader, arrival(request)):
            raise problem(web.HTTPNotFound, str(error)) from None
        # Who is not counted is to see the class all the same; what it reports counts for nothing.
        own: dict[str, object] = {"guess": None, "tallies": {}, "left_out": 0}
    else:
        own = {"guess": lane.guess, "tallies": lane.tallies, "left_out": left_out}
    return answer(room.shown_to_reader() | own)


async def post_guess(request: web.Request) -> web.Response:
    """Keep a reader's guesses until they are revealed."""
    guess = await read_as(request, Guess, '{"reader": "r1", "answers": {"latency_ms": 500}}')
    room = request.app[CLASSROOM]
    if room.settings.stage == "reveal":
        line = "the answers have been revealed: guess again in the next round"
        raise problem(web.HTTPConflict, line)
    try:
        room.guesses.put(guess)
    except Unknown as error:
        raise problem(web.HTTPNotFound, str(error)) from None
    return answer(room.guesses.shown(revealed=False))


def _known(request: web.Request, reader: str) -> Lane:
    try:
        return request.app[CLASSROOM].lanes.known(reader)
    except Unknown as error:
        raise problem(web.HTTPNotFound, str(error)) from None


def _counters(lane: Lane, epoch: str, head: int) -> dict[str, object]:
    tally = msgspec.structs.asdict(lane.total())
    return {**tally, "cursor_behind": lane.behind(epoch, head)}
