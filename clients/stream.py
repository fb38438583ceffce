"""A WebSocket session as the messages that it brings, every frame of it counted."""

import aiohttp
import msgspec
from aiohttp import WSMsgType

from clients.attempt import Attempt
from clients.meter import Meter
from demo.message import GapNotice, Hello, Message

_read_message = msgspec.json.Decoder(Message).decode
_read_gap = msgspec.json.Decoder(GapNotice).decode
_read_hello = msgspec.json.Decoder(Hello).decode


class Stream:
    """Read an open WebSocket; `next` returns a message, a notice about our place, or None."""

    def __init__(
        self, ws: aiohttp.ClientWebSocketResponse[bool], attempt: Attempt, meter: Meter
    ) -> None:
        self._ws = ws
        self._attempt = attempt
        self._meter = meter
        self._position = meter.head_bytes()  # of the last byte read, in what the server sent
        attempt.handshake_bytes = self._position + attempt.bytes_up

    @property
    def arrived_ns(self) -> int:
        """When the last byte of the newest frame reached this process."""
        return self._meter.arrival_ns(self._position)

    async def next(self) -> Message | GapNotice | Hello | None:
        """Wait for a frame that says something; None when the server has closed."""
        while True:
            frame = await self._ws.receive()
            if frame.type is WSMsgType.TEXT:
                return self._read(frame.data)
            if frame.type is not WSMsgType.PING:
                return None
            self._position += frame_bytes(len(frame.data))
            await self._ws.pong(frame.data)

    def _read(self, body: bytes) -> Message | GapNotice | Hello:
        size = frame_bytes(len(body))
        self._position += size
        try:
            message = _read_message(body)
        except msgspec.ValidationError:
            self._attempt.handshake_bytes += size
            return _read_notice(body)
        self._attempt.messages += 1
        self._attempt.body_bytes += len(body)
        return message


def frame_bytes(payload_bytes: int) -> int:
    """Size of a frame as a server sends it: RFC 6455, section 5.2, without a mask."""
    return payload_bytes + (2 if payload_bytes <= 125 else 4 if payload_bytes <= 0xFFFF else 10)


def _read_notice(body: bytes) -> GapNotice | Hello:
    try:
        return _read_gap(body)
    except msgspec.ValidationError:
        return _read_hello(body)
