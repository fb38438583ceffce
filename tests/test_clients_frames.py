"""Frames are found wherever the stream is cut, and each is stamped when it is complete."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clients.frames import Frame, Frames
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
