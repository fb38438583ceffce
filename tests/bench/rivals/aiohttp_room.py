"""What a tutorial on aiohttp does: send to each in a loop; hold a poll until an event is set.

Beside them, a handler that says 204.
"""

import asyncio

import uvloop
from aiohttp import web

EVERYONE: set[web.WebSocketResponse] = set()


class News:
    """The newest text, and an event that is set when there is a newer one."""

    number, text, changed = 0, "", asyncio.Event()


async def room(request: web.Request) -> web.WebSocketResponse:
    """Send each text to everyone."""
    ws = web.WebSocketResponse(compress=False)
    await ws.prepare(request)
    EVERYONE.add(ws)
    async for frame in ws:
        for one in list(EVERYONE):
            await one.send_str(frame.data)
    EVERYONE.discard(ws)
    return ws


async def nothing(request: web.Request) -> web.Response:
    """Answer 204."""
    return web.Response(status=204)


async def held(request: web.Request) -> web.Response:
    """Wait for a text that the reader has not, and answer it."""
    while News.number <= int(request.query["after"]):
        await News.changed.wait()
    return web.json_response({"cursor": News.number, "text": News.text})


async def publish(request: web.Request) -> web.Response:
    """Take a text, and wake all who wait."""
    News.text = (await request.json())["text"]
    News.number += 1
    News.changed.set()
    News.changed = asyncio.Event()
    return web.Response(status=201)


async def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_get("/", room)
    app.router.add_get("/nothing", nothing)
    app.router.add_get("/held", held)
    app.router.add_post("/publish", publish)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"Listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
    run.run(main())
