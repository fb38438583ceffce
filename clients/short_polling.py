"""Short polling: ask, wait the interval, ask again."""

import asyncio
from collections.abc import AsyncGenerator

from clients.client import Client
from clients.pace import Pace
from demo.message import Message

PATH = "/short-poll"


async def messages(client: Client, pace: Pace) -> AsyncGenerator[Message, None]:
    """Yield the messages after the client's place, in order, for ever."""
    pause_s = pace.phase_s
    while True:
        for message in await client.get(PATH):
            yield message
        await asyncio.sleep(pause_s)
        pause_s = pace.interval_s
