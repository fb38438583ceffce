"""A WebSocket session as the messages that it brings, every frame of it counted."""

import aiohttp
import msgspec
from aiohttp import WSMsgType

from clients.attempt import Attempt
from clients.decoding import read_message, read_notice
from clients.frames import Frame, Frames
from demo.message import GapNotice, Hello, Message


class Stream:
    """Read an open WebSocket; `next` returns a message, a notice about our place, or None.

    arrived_ns: when the last byte of the newest frame reached this process
    closed: whether the server has said goodbye; otherwise its end is a break
    """

    def __init__(
        self, ws: aiohttp.ClientWebSocketResponse[bool], attempt: Attempt, frames: Frames
    ) -> None:
        self.arrived_ns = 0
        self.closed = False
        self._ws = ws
        self._attempt = attempt
        self._frames = frames
        attempt.handshake_bytes = frames.head_bytes + attempt.bytes_up

    async def next(self) -> Message | GapNotice | Hello | None:
        """Wait for a frame that says something; None at the end."""
        while True:
            said = await self._ws.receive()
            if said.type not in (WSMsgType.TEXT, WSMsgType.PING):
                self.closed = said.type is WSMsgType.CLOSE
                return None
            frame = self._frames.waiting.popleft()
            self.arrived_ns = frame.arrived_ns
            if said.type is WSMsgType.TEXT:
                return self._read(said.data, frame)
            await self._ws.pong(said.data)

    def _read(self, body: bytes, frame: Frame) -> Message | GapNotice | Hello:
        try:
            message = read_message(body)
        except msgspec.ValidationError:
            self._attempt.handshake_bytes += frame.head_bytes + frame.payload_bytes
            return read_notice(body)
        self._attempt.messages += 1
        self._attempt.body_bytes += frame.payload_bytes
        return message
