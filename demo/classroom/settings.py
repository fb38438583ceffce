"""What the teacher can set, checked at the edge. No network here."""

from typing import Annotated, Literal

import msgspec

Level = Literal["off", "quiet", "lively", "storm"]
Stage = Literal["chat", "guess", "run", "reveal"]
Mode = Literal["short", "long", "ws"]
ReaderName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,40}\Z")]


class ClassSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the class reads, and what it does now.

    rtt_ms: round trip that the server adds to every lane alike
    keepalive, cursor, hold: ideas that can be turned off, to show what they are for
    """

    interval_s: Annotated[float, msgspec.Meta(ge=0.1, le=60)] = 1.0
    hold_s: Annotated[float, msgspec.Meta(ge=0, le=120)] = 25.0
    chatter: Level = "off"
    rtt_ms: Annotated[float, msgspec.Meta(ge=0, le=4000)] = 0.0
    keepalive: bool = True
    cursor: bool = True
    hold: bool = True
    stage: Stage = "chat"


def changed(settings: ClassSettings, changes: dict[str, object]) -> ClassSettings:
    """Return the settings with `changes`; raise ValueError where one cannot be."""
    return msgspec.convert({**msgspec.structs.asdict(settings), **changes}, ClassSettings)
