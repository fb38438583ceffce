import asyncio

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketWriter, WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from demo.frames import text_frame


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, "8100"),
        (1, "8101"),
        (125, "817d"),
        (126, "817e007e"),
        (65_535, "817effff"),
        (65_536, "817f0000000000010000"),
    ],
)
def test_a_length_takes_the_shortest_of_three_forms(size: int, head: str) -> None:
    assert text_frame(b"x" * size) == bytes.fromhex(head) + b"x" * size


class Paper(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def is_closing(self) -> bool:
        return False


def frame_of_aiohttp(payload: bytes) -> bytes:
    async def write() -> bytes:
        paper = Paper()
        writer = WebSocketWriter(BaseProtocol(asyncio.get_running_loop()), paper)
        await writer.send_frame(payload, WSMsgType.TEXT)
        return paper.written

    return asyncio.run(write())


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 4096, 65_535, 65_536, 100_000])
def test_a_frame_is_what_aiohttp_would_write(size: int) -> None:
    payload = b"0123456789" * (size // 10 + 1)
    assert text_frame(payload[:size]) == frame_of_aiohttp(payload[:size])


@given(st.text())
def test_a_frame_ends_with_its_payload(text: str) -> None:
    payload = text.encode()
    assert text_frame(payload).endswith(payload)
