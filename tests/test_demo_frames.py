import asyncio
import contextlib

import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http_websocket import WebSocketWriter, WSMsgType
from hypothesis import given
from hypothesis import strategies as st

from demo.frames import (
    BAD_TEXT,
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    PROTOCOL_ERROR,
    TEXT_CODE,
    TOO_BIG,
    Broken,
    Frames,
    close_frame,
    closing_code,
    decoded,
    text_frame,
)


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


@given(st.binary())
def test_a_frame_ends_with_its_payload(payload: bytes) -> None:
    assert text_frame(payload).endswith(payload)


# What a client sends

LONGEST = 70_000


def masked(
    opcode: int, payload: bytes, *, fin: bool = True, key: bytes = b"\x01\x02\x03\x04"
) -> bytes:
    """Frame as a client does, in the shortest of three forms."""
    whole = text_frame(payload)
    head = bytes((0x80 * fin | opcode, whole[1] | 0x80)) + whole[2 : len(whole) - len(payload)]
    return head + key + bytes(each ^ key[i % 4] for i, each in enumerate(payload))


def taken(*pieces: bytes, longest: int = LONGEST) -> list[tuple[int, bytes]]:
    frames = Frames(longest)
    return [found for piece in pieces for found in frames.feed(piece)]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_clients_frame_is_unmasked(size: int) -> None:
    text = bytes(i % 128 for i in range(size))
    assert taken(masked(TEXT_CODE, text)) == [(TEXT_CODE, text)]


@given(
    texts=st.lists(st.binary(max_size=300), min_size=1, max_size=5),
    key=st.binary(min_size=4, max_size=4),
    cuts=st.lists(st.integers(1, 40), min_size=1, max_size=8),
)
def test_however_the_bytes_arrive_the_messages_are_the_same(
    texts: list[bytes], key: bytes, cuts: list[int]
) -> None:
    stream = b"".join(masked(BINARY, text, key=key) for text in texts)
    pieces = []
    at = turn = 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        pieces.append(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert taken(*pieces) == [(BINARY, text) for text in texts]


def test_fragments_are_joined_and_a_ping_may_come_between_them() -> None:
    assert taken(
        masked(TEXT_CODE, b"one ", fin=False),
        masked(PING, b"?"),
        masked(CONTINUATION, b"two ", fin=False),
        masked(CONTINUATION, b"three"),
        masked(TEXT_CODE, b"four"),
    ) == [(PING, b"?"), (TEXT_CODE, b"one two three"), (TEXT_CODE, b"four")]


def test_what_a_closed_fragment_left_is_in_no_other_message() -> None:
    frames, other = Frames(LONGEST), Frames(LONGEST)
    assert list(frames.feed(masked(TEXT_CODE, b"secret", fin=False))) == []
    assert list(other.feed(masked(TEXT_CODE, b"mine"))) == [(TEXT_CODE, b"mine")]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (text_frame(b"not masked"), PROTOCOL_ERROR),
        (masked(0x3, b""), PROTOCOL_ERROR),
        (masked(0xB, b""), PROTOCOL_ERROR),
        (bytes((0xC1, 0x80)), PROTOCOL_ERROR),  # a reserved bit
        (masked(PING, b"", fin=False), PROTOCOL_ERROR),
        (masked(PONG, b"x" * 126), PROTOCOL_ERROR),
        (masked(CONTINUATION, b"of nothing"), PROTOCOL_ERROR),
        (masked(TEXT_CODE, b"one", fin=False) + masked(TEXT_CODE, b"two"), PROTOCOL_ERROR),
        (masked(TEXT_CODE, b"x" * 101), TOO_BIG),
        (masked(TEXT_CODE, b"x" * 60, fin=False) + masked(CONTINUATION, b"x" * 60), TOO_BIG),
        (bytes((0x82, 0xFF)) + b"\xff" * 8 + b"mask", TOO_BIG),
    ],
)
def test_a_frame_against_the_rules_is_refused(frame: bytes, code: int) -> None:
    with pytest.raises(Broken) as broken:
        taken(frame, longest=100)
    assert broken.value.code == code


def test_a_frame_that_is_too_long_is_refused_by_its_head() -> None:
    with pytest.raises(Broken):
        taken(masked(TEXT_CODE, b"x" * 101)[:8], longest=100)


@pytest.mark.parametrize(
    ("payload", "code"),
    [(b"", None), (b"\x03\xe8", 1000), (b"\x03\xe9bye", 1001), (b"\x11\x3a", 4410)],
)
def test_a_close_has_a_code_or_none(payload: bytes, code: int | None) -> None:
    assert closing_code(payload) == code


@pytest.mark.parametrize("payload", [b"\x03", b"\x00\x00", b"\x03\xed", b"\x03\xf7", b"\xff\xff"])
def test_no_other_code_closes(payload: bytes) -> None:
    with pytest.raises(Broken):
        closing_code(payload)


def test_text_is_utf_8() -> None:
    assert decoded("\u00e9".encode()) == "\u00e9"
    with pytest.raises(Broken) as broken:
        decoded(b"\xff")
    assert broken.value.code == BAD_TEXT
    with pytest.raises(Broken):
        closing_code(b"\x03\xe8\xff")


def test_a_close_frame_is_short() -> None:
    assert close_frame(1001, b"bye") == bytes.fromhex("880503e9") + b"bye"


@given(st.binary(max_size=400))
def test_noise_is_refused_or_waits_for_more(noise: bytes) -> None:
    found: list[tuple[int, bytes]] = []
    with contextlib.suppress(Broken):
        found = taken(noise)
    assert all(opcode in {TEXT_CODE, BINARY, CLOSE, PING, PONG} for opcode, _ in found)
