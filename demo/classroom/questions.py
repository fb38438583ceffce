"""What the class is asked before a run, and what a reader may answer. Nothing is kept here."""

from typing import Annotated

import msgspec

from demo.classroom.settings import Mode

Figure = Annotated[float, msgspec.Meta(ge=0, le=1e9)]

QUESTIONS = [
    {
        "id": "requests_per_minute",
        "kind": "number",
        "unit": "requests",
        "text": "How many requests does one reader make in a minute, by short polling?",
    },
    {
        "id": "latency_ms",
        "kind": "number",
        "unit": "ms",
        "text": "How late is a message by short polling, on average?",
    },
    {
        "id": "fewest_bytes",
        "kind": "mode",
        "unit": "",
        "text": "At 20 messages a second, which mode needs the fewest bytes for each message?",
    },
]


class Answers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One reader's guesses; None where it makes none."""

    requests_per_minute: Figure | None = None
    latency_ms: Figure | None = None
    fewest_bytes: Mode | None = None
