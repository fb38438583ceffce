"""What the class expects, before it sees: one set of answers a reader, hidden until revealed."""

from typing import Annotated

import msgspec

from demo.classroom.settings import Mode, ReaderName

MAX_GUESSES = 1000

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


class Guess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader posts."""

    reader: ReaderName
    answers: Answers


class Full(Exception):
    """There are as many guesses as are kept."""


class Guesses:
    """Keep at most 1,000 sets of answers, the last of each reader."""

    def __init__(self) -> None:
        self._answers: dict[str, Answers] = {}

    def put(self, guess: Guess) -> None:
        """Keep a reader's answers in place of its earlier ones; raise Full."""
        if guess.reader not in self._answers and len(self._answers) >= MAX_GUESSES:
            raise Full(f"{MAX_GUESSES} guesses are kept and all are made: no more can be taken")
        self._answers[guess.reader] = guess.answers

    def clear(self) -> None:
        """Forget all: a new round begins."""
        self._answers.clear()

    def shown(self, *, revealed: bool) -> dict[str, object]:
        """Return how many have guessed and, once revealed, what; never who."""
        answers = list(self._answers.values()) if revealed else []
        return {"count": len(self._answers), "answers": answers}
