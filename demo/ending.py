"""End a server's connections: hold nobody, say goodbye to WebSockets, hang up, cut off who is slow.

All is said to all first; only then is anybody waited for, and all of them together.
"""

import asyncio

from aiohttp import web

from demo.answers import ANSWERS
from demo.doors import DOORS, Doors
from demo.sockets import SOCKETS, say_goodbye

GOODBYE_S = 0.4  # how long readers may take to hang up, once all has been said


async def end_connections(app: web.Application, hurry: asyncio.Event) -> int:
    """Answer the held polls, close WebSockets with 1001, and hang up on all; wait for nobody long.

    With `hurry`, for nobody at all. Return how many connections had to be cut off.
    """
    doors, sockets = app[DOORS], app[SOCKETS]
    app[ANSWERS].feed.close()  # answers the held polls
    closing = await say_goodbye(sockets)
    await doors.close()
    await _until_nobody(doors, hurry)
    closing += await say_goodbye(sockets)  # to requests that became one meanwhile
    cut_off = doors.cut_off()
    await asyncio.gather(*closing, return_exceptions=True)
    return cut_off


async def _until_nobody(doors: Doors, hurry: asyncio.Event) -> None:
    waiting = [asyncio.create_task(each.wait()) for each in (doors.nobody, hurry)]
    await asyncio.wait(waiting, timeout=GOODBYE_S, return_when=asyncio.FIRST_COMPLETED)
    for each in waiting:
        each.cancel()
