"""The parts of a server that run by themselves; when one ends before the server, it has failed."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from demo.answers import ANSWERS
from demo.article import ROOM
from demo.classroom.classroom import CLASSROOM
from demo.deflation import DEFLATION
from demo.doors import DOORS
from demo.sharing import PARTS
from demo.sockets import SOCKETS, watch
from demo.stats import STATS
from demo.websocket import FANOUT


async def run_parts(app: web.Application) -> AsyncIterator[None]:
    """Push what is published, and look after connections, while the app runs."""
    pushers = [asyncio.create_task(app[key].run()) for key in (FANOUT, ROOM)]
    watches = [asyncio.create_task(each) for each in (app[DOORS].watch(), watch(app[SOCKETS]))]
    if DEFLATION in app:
        watches.append(asyncio.create_task(app[DEFLATION].watch()))
    app[PARTS].extend([*pushers, *watches])
    for each in (*pushers, *watches):
        each.add_done_callback(_report)  # at once, and not when the server stops
    app[STATS].lag.start()
    yield
    if CLASSROOM in app:
        app[CLASSROOM].stop()
    for each in watches:
        each.cancel()
    await asyncio.wait(watches)
    for each in watches:
        if not each.cancelled():
            each.result()  # it has ended by a fault
    app[STATS].lag.stop()
    app[ANSWERS].feed.close()
    await asyncio.gather(*pushers)


async def until_one_fails(app: web.Application, stop: asyncio.Event) -> None:
    """Wait for `stop`, or until a part has ended, without which the server is none."""
    asked = asyncio.create_task(stop.wait())
    await asyncio.wait([asked, *app[PARTS]], return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        context = {"message": "part of the server has ended", "exception": fault}
        task.get_loop().call_exception_handler(context)
