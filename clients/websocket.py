"""WebSocket: ask once, keep the connection open, take what comes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from clients.client import Client
from clients.pace import Pace
from demo.message import Message

PATH = "/ws"


async def messages(client: Client, pace: Pace) -> AsyncGenerator[Message, None]:
    """Yield the messages after the client's place, in order, for ever."""
    while True:
        async with aclosing(client.listen(PATH)) as session:
            async for message in session:
                yield message
