"""A small dose of what `python -m tests.fuzz` does by the thousand."""

import pytest

from tests.fuzz.answer import Nonsense, taken_apart
from tests.fuzz.kinds import KINDS
from tests.fuzz.run import fuzz


async def test_bad_inputs_of_every_kind_disturb_nobody() -> None:
    result = await fuzz(list(KINDS), seed=7, numbers=range(len(KINDS)))
    assert result.failures == []
    assert result.checks == result.cases == len(KINDS)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


def test_answers_are_taken_apart() -> None:
    answer = taken_apart(
        OK + b"HTTP/1.1 204 No Content\r\n\r\n" + SWITCH + b"\x81\x02hi\x88\x02\x03\xe8"
    )
    assert answer.statuses == [200, 204, 101]
    assert (answer.bodies, answer.texts, answer.code) == ([b"hi", b""], [b"hi"], 1000)


@pytest.mark.parametrize(
    "got",
    [
        b"hi",
        OK[:-1],
        OK + b"hi",
        b"HTTP/1.1 200 OK\r\n\r\nhi",
        SWITCH + b"\x81\x82maskhi",
        SWITCH + b"\xc1\x02hi",
        SWITCH + b"\x81\x02h",
        SWITCH + b"\x81\x01\xff",
        SWITCH + b"\x88\x00\x81\x02hi",
    ],
)
def test_what_is_no_answer_is_seen(got: bytes) -> None:
    with pytest.raises(Nonsense):
        taken_apart(got)
