"""A WebSocket that is opened, and what is said on it then."""

import json
from collections.abc import Sequence
from random import Random

from tests.fuzz.case import READS, Case, Ends, Wants, closes, split
from tests.fuzz.frames import HANDSHAKE, PING, TEXT, frame, key
from tests.fuzz.requests import request

PATHS = ("/ws", "/", "/echo", "/ws?reader=fuzz", "/ws?after=0", "/ws?after=9999999")
GAP = 4410  # it may have been closed already, for its cursor


def upgraded(
    chance: Random,
    frames: Sequence[bytes],
    wants: Wants | int,
    paths: Sequence[str] = PATHS,
    ends: Ends = READS,
    *,
    deaf: bool = False,
) -> Case:
    """Open a WebSocket at one of `paths`, and say `frames`, cut anywhere; `wants` may be a code."""
    path = chance.choice(paths)
    opening = request(path, *HANDSHAKE)
    stream = b"".join(frames)
    pieces = split(chance, stream) if len(stream) < 3000 else split(chance, stream, 3)
    pieces.insert(0, opening)
    if chance.random() < 0.3:  # what is said first comes with the handshake
        pieces[:2] = [opening + pieces[1]]
    if isinstance(wants, int):
        code = wants
        wants = closes(code) if "after" not in path else closes(code, GAP)
    return Case(pieces, ends, wants, deaf)


def text(chance: Random) -> bytes:
    """Say something that the feed takes, or nothing."""
    said = json.dumps({"sender": "fuzz", "text": "said"}) if chance.random() < 0.7 else ""
    return frame(TEXT, said.encode(), key=key(chance))


def with_pings(chance: Random, frames: list[bytes]) -> list[bytes]:
    """Put numbered pings between frames."""
    pinged, number = [], 0
    for each in frames:
        pinged.append(each)
        if chance.random() < 0.5 and each is not frames[-1]:
            pinged.append(frame(PING, b"%d" % number))
            number += 1
    return pinged
