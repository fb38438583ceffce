"""What the documentation of websockets advises for a broadcast."""

import asyncio

import uvloop
from websockets.asyncio.server import ServerConnection, broadcast, serve


async def main() -> None:
    """Send each text to everyone, until killed."""

    async def room(socket: ServerConnection) -> None:
        async for text in socket:
            broadcast(server.connections, text)

    async with serve(room, "127.0.0.1", 0, compression=None, backlog=4096) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        print(f"Listening on http://127.0.0.1:{port}", flush=True)
        await asyncio.Event().wait()


uvloop.run(main())
