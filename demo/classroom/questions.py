"""What a reader may answer to what the page asks before a run. Nothing is kept here."""

from typing import Annotated

import msgspec

from demo.classroom.settings import Mode

Figure = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reader's guesses; None where it makes none."""

    requests_per_minute: Figure | None = None
    latency_ms: Figure | None = None
    fewest_bytes: Mode | None = None
