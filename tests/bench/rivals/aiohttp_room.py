"""What a tutorial on aiohttp does: send to each in a loop. Beside it, a handler that says 204."""

import asyncio

import uvloop
from aiohttp import web

EVERYONE: set[web.WebSocketResponse] = set()


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


async def main() -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_get("/", room)
    app.router.add_get("/nothing", nothing)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    print(f"Listening on http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


with asyncio.Runner(loop_factory=uvloop.new_event_loop) as run:
    run.run(main())
