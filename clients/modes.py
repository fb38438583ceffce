"""The modes, in the order in which they always stand. A fourth is one file and one row."""

from collections.abc import AsyncGenerator, Callable

import msgspec

from clients import long_polling, short_polling, websocket
from clients.client import Client
from clients.pace import Pace
from demo.message import Message

Messages = Callable[[Client, Pace], AsyncGenerator[Message, None]]


class Mode(msgspec.Struct, frozen=True):
    """A mode: its name for people, and the generator of its messages.

    holds: its first answer may wait for news; pushes: the server writes without being asked
    """

    name: str
    messages: Messages
    holds: bool = False
    pushes: bool = False


MODES = {
    "short": Mode("short polling", short_polling.messages),
    "long": Mode("long polling", long_polling.messages, holds=True),
    "ws": Mode("WebSocket", websocket.messages, pushes=True),
}
