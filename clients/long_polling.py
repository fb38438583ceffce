"""Long polling: ask, and when the answer comes at last, ask again at once."""

from collections.abc import AsyncGenerator

from clients.client import Client
from clients.pace import Pace
from demo.message import Message

PATH = "/long-poll"


async def messages(client: Client, pace: Pace) -> AsyncGenerator[Message, None]:
    """Yield the messages after the client's place, in order, for ever."""
    hold_s = f"{pace.hold_s:g}"
    while True:
        for message in await client.get(PATH, hold_s=hold_s):
            yield message
