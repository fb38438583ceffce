"""What the class expects, before it sees: one set of answers a reader, hidden until revealed.

A guess is kept with its reader, so there are no more of them than of readers.
"""

import msgspec

from demo.classroom.lanes import Lanes
from demo.classroom.questions import Answers
from demo.classroom.settings import ReaderName, Stage


class Guess(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a reader posts."""

    reader: ReaderName
    answers: Answers


class Guesses:
    """Keep the last answers of each reader, for one round."""

    def __init__(self, lanes: Lanes) -> None:
        self._lanes = lanes
        self._over = False

    def put(self, guess: Guess) -> None:
        """Keep a reader's answers in place of its earlier ones; raise Unknown (see lanes.py)."""
        self._lanes.known(guess.reader).guess = guess.answers

    def turn(self, stage: Stage) -> None:
        """Take note of a stage: a reveal ends the round, and the next guesses begin another."""
        if stage == "reveal":
            self._over = True
        elif stage == "guess" and self._over:
            self._over = False
            for lane in self._lanes.by_name.values():
                lane.guess = None

    def shown(self, *, revealed: bool) -> dict[str, object]:
        """Return how many have guessed and, once revealed, what; never who."""
        given = [lane.guess for lane in self._lanes.by_name.values() if lane.guess is not None]
        return {"count": len(given), "answers": given if revealed else []}
