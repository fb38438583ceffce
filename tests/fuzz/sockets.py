"""Inputs by WebSocket that may be said, or may not: none may do harm."""

from random import Random

from tests.fuzz import bodies
from tests.fuzz.answer import PONG, Answer
from tests.fuzz.case import CUTS, HALF, WAITS, Case, closes, spoilt, whatever
from tests.fuzz.frames import CONTINUATION, LONGEST, PING, TEXT, close, fragments, frame, key
from tests.fuzz.handshakes import text, upgraded, with_pings
from tests.fuzz.requests import request

CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)


def fragmented(chance: Random) -> Case:
    """Texts in fragments whose borders cut characters, and pings among them, which are answered."""
    payload = "é😀".encode() * chance.randint(0, 300)
    frames = fragments(chance, TEXT, payload, chance.choice((2, 9, 200)))
    pinged = with_pings(chance, frames)
    pings = len(pinged) - len(frames)

    def wants(answer: Answer) -> bool:
        pongs = [each for opcode, each in answer.frames if opcode == PONG]
        return closes(1000)(answer) and pongs == [b"%d" % n for n in range(pings)]

    return upgraded(chance, [*pinged, close()], wants, ["/ws", "/", "/echo", "/ws?reader=fuzz"])


def echoed(chance: Random) -> Case:
    """Texts to the echo, each answered with itself and in order."""
    texts = [str(chance.getrandbits(64)) * chance.choice((1, 5, 300)) for _ in range(9)]
    wanted = [f'Server received your message: "{text}"'.encode() for text in texts]
    frames = [
        each
        for text in texts
        for each in fragments(chance, TEXT, text.encode(), chance.randint(1, 4))
    ]

    def wants(answer: Answer) -> bool:
        return answer.texts == wanted[: len(answer.texts)] and closes(1000)(answer)

    return upgraded(chance, [*frames, close()], wants, ["/echo"])


def codes(chance: Random) -> Case:
    """Closes with codes that may be said, which are answered with the same."""
    code = chance.choice(CODES)
    reason = b"x" * chance.choice((0, 5, 123))
    return upgraded(chance, [text(chance), close(code, reason), text(chance)], code)


def said(chance: Random) -> Case:
    """Texts of every kind, most of which nobody publishes."""
    texts = [bodies.body(chance)[: LONGEST // 2] for _ in range(chance.randint(1, 9))]
    frames = [frame(TEXT, each, key=key(chance)) for each in texts]
    return upgraded(chance, [*frames, close()], whatever)


def floods(chance: Random) -> Case:
    """A thousand pings, or empty fragments, in one piece."""
    ping, nothing = frame(PING, b"x" * 125), frame(CONTINUATION, fin=False)
    many = chance.choice(([ping] * 1000, [frame(TEXT, b"x", fin=False), *[nothing] * 5000]))
    return upgraded(chance, [*many, close()], 1000)


def noise_frames(chance: Random) -> Case:
    """Frames of random bits, and noise that is none."""
    random_frames = [
        frame(
            chance.choice((chance.randrange(16), TEXT, CONTINUATION, PING)),
            chance.randbytes(chance.choice((0, 1, 20, 200))),
            fin=chance.random() < 0.8,
            reserved=chance.choice((0,) * 9 + (1,)),
            key=key(chance) if chance.random() < 0.95 else None,
        )
        for _ in range(chance.randint(1, 20))
    ]
    some = chance.choice((random_frames, [chance.randbytes(chance.choice((2, 14, 500)))]))
    return upgraded(chance, some, whatever, ends=WAITS)


def altered_frames(chance: Random) -> Case:
    """Frames as they should be, with a few bytes changed, lost or added."""
    stream = b"".join([text(chance), frame(PING, b"x"), text(chance), close()])
    return upgraded(chance, [spoilt(chance, stream)], whatever, ends=WAITS)


def odd_lengths(chance: Random) -> Case:
    """Lengths in a longer form than they need, which may be taken or not."""
    size = chance.randint(0, 125)
    form = chance.choice((b"\xfe" + size.to_bytes(2), b"\xff" + size.to_bytes(8)))
    return upgraded(chance, [b"\x81" + form + bytes(4) + b"x" * size], whatever, ends=WAITS)


def half_frames(chance: Random) -> Case:
    """Frames in the midst of which the client says that it is done, or resets."""
    stream = b"".join([text(chance), *fragments(chance, TEXT, b"x" * 300, 3)])
    some = [stream[: chance.randint(1, len(stream))]]
    return upgraded(chance, some, whatever, ends=chance.choice((HALF, CUTS)))


def deaf(chance: Random) -> Case:
    """Pings and polls of one who takes no answer."""
    history = request("/short-poll?after=0") + request("/class/log.zip") + request("/stats")
    if chance.random() < 0.5:
        return Case([history * 100] * 30, CUTS, deaf=True)
    return upgraded(chance, [frame(PING, b"x" * 125)] * 30_000, whatever, ends=CUTS, deaf=True)
