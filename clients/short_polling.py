"""Short polling: ask, wait the interval, ask again."""

import asyncio
from collections.abc import AsyncGenerator

from clients.client import Client
from clients.pace import Pace
from demo.message import Message

PATH = "/short-poll"


async def messages(client: Client, pace: Pace) -> AsyncGenerator[Message, None]:
    """Yield the messages after the client's place, in order, for ever."""
    pauses_s = pace.pauses()
    while True:
        for message in await client.get(PATH):
            yield message
        await asyncio.sleep(next(pauses_s))
