"""One case: what is sent over one connection, how that ends, and what may be answered."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from random import Random
from typing import Literal

from tests.fuzz.answer import Answer

Ends = Literal["reads", "waits", "half", "cuts"]
READS: Ends = "reads"  # until the server closes the connection, as it must
WAITS: Ends = "waits"  # reads for a moment, then half-closes, since it may be owed nothing
HALF: Ends = "half"  # says that nothing more comes, and reads on
CUTS: Ends = "cuts"  # resets the connection
Wants = Callable[[Answer], bool]


def whatever(answer: Answer) -> bool:
    """Take any answer that is one."""
    return True


@dataclass(frozen=True)
class Case:
    """Pieces that are sent one after another, and what may be answered to them."""

    pieces: list[bytes]
    ends: Ends = READS
    wants: Wants = whatever
    deaf: bool = False  # nothing is read


Make = Callable[[Random], Case]


def statuses(*wanted: int | Container[int]) -> Wants:
    """Want so many answers, each as said, or one of those said."""

    def wants(answer: Answer) -> bool:
        return len(answer.statuses) == len(wanted) and all(
            status == each if isinstance(each, int) else status in each
            for status, each in zip(answer.statuses, wanted, strict=True)
        )

    return wants


def closes(*codes: int) -> Wants:
    """Want a WebSocket that was opened, and closed with one of these codes."""
    return lambda answer: answer.statuses == [101] and answer.code in codes


def split(chance: Random, stream: bytes, pieces: int | None = None) -> list[bytes]:
    """Cut a stream into pieces, of a byte each or at random."""
    count = chance.choice((1, 1, 2, 5, 20, len(stream))) if pieces is None else pieces
    if count >= len(stream):
        return [bytes((each,)) for each in stream]
    cuts = sorted(chance.sample(range(1, len(stream)), count - 1))
    return [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]


def spoilt(chance: Random, stream: bytes) -> bytes:
    """Change a stream in a few places: bits, bytes, something more, something less."""
    spoils = bytearray(stream)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(spoils))
        match chance.randrange(4):
            case 0:
                spoils[at] ^= 1 << chance.randrange(8)
            case 1:
                spoils[at] = chance.choice(b"\x00\r\n :\x7f\xff0")
            case 2:
                spoils[at:at] = chance.randbytes(chance.randint(1, 9))
            case _:
                del spoils[at : at + chance.randint(1, 9)]
                spoils += b"\n" * (not spoils)
    return bytes(spoils)
