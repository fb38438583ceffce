"""Frames are found wherever the stream is cut, and each is stamped when it is complete."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.frames import CLOSE, PONG, Frame, Frames, masked, measure
from clients.frames import text_frame as stand_ins
from demo.frames import text_frame

HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@given(
    payloads=st.lists(st.sampled_from([b"", b"x" * 125, b"y" * 126, b"z" * 70_000]), max_size=5),
    cuts=st.lists(st.integers(0, 200_000), max_size=8),
)
def test_frames_are_found_wherever_the_stream_is_cut(
    payloads: list[bytes], cuts: list[int]
) -> None:
    stream = HEAD + b"".join(map(text_frame, payloads))
    frames = Frames()
    edges = sorted({0, len(stream), *(cut % (len(stream) + 1) for cut in cuts)})
    for number, (start, end) in enumerate(pairwise(edges)):
        frames.received(stream[start:end], number)
    assert frames.head_bytes == len(HEAD)
    assert [frame.payload_bytes for frame in frames.waiting] == [len(p) for p in payloads]
    assert sum(f.head_bytes + f.payload_bytes for f in frames.waiting) == len(stream) - len(HEAD)


def test_frame_is_stamped_when_its_last_byte_comes() -> None:
    frames = Frames()
    frames.received(HEAD + b"\x81\x05he", 1)
    assert not frames.waiting
    frames.received(b"llo\x81\x01", 2)
    frames.received(b"!", 3)
    assert list(frames.waiting) == [Frame(2, 5, 2), Frame(2, 1, 3)]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535])
def test_frame_of_a_stand_in_is_that_of_the_server(size: int) -> None:
    assert stand_ins(b"x" * size) == text_frame(b"x" * size)


@given(text_frame=st.sampled_from([text_frame(b"x" * size) for size in (0, 125, 126, 70_000)]))
def test_frame_is_measured_only_when_it_is_all_there(text_frame: bytes) -> None:
    found = measure(text_frame + b"rest")
    assert found is not None
    assert sum(found) == len(text_frame)
    assert measure(text_frame[:-1]) is None


@given(st.binary(max_size=125), st.sampled_from([CLOSE, PONG]))
def test_frame_of_a_client_is_whole_and_masked(payload: bytes, opcode: int) -> None:
    frame = masked(opcode, payload)
    assert frame[:2] == bytes((0x80 | opcode, 0x80 | len(payload)))
    key, body = frame[2:6], frame[6:]
    assert bytes(byte ^ key[n % 4] for n, byte in enumerate(body)) == payload
    assert key != masked(opcode, payload)[2:6]
