"""A built-in publisher: made-up people who chat at a steady mean rate, so that there is news.

Open loop, as the measuring publisher: the times do not wait for anybody. Nothing runs while off.
"""

import asyncio
import random
from collections.abc import Callable

from demo.classroom.settings import Level
from demo.message import Draft

RATES_PER_S: dict[Level, float] = {"off": 0.0, "quiet": 1 / 3, "lively": 2.0, "storm": 20.0}
BEHIND_LIMIT_S = 1.0  # after a standstill longer than this, what was missed is left out

NAMES = ("Ada", "Alan", "Barbara", "Donald", "Edsger", "Frances", "Grace", "Radia", "Tim", "Vint")
OPENINGS = ("Hello", "Good news", "By the way", "Look", "A question", "I wonder", "Listen")
SAYINGS = (
    "the tea is ready",
    "who has the seventh byte?",
    "my packet took the scenic route",
    "it works on my machine",
    "the cat is on the keyboard again",
    "are we there yet?",
    "somebody left the socket open",
    "the bus has arrived on time",
    "I can see my own message!",
    "counting frames helps me sleep",
)


class Chatter:
    """Publish friendly texts at the rate of the level that is set."""

    def __init__(
        self,
        publish: Callable[[Draft], object],
        chance: random.Random,
        now_ns: Callable[[], int],
    ) -> None:
        self.level: Level = "off"
        self.late_ms: list[float] | None = None  # kept while somebody measures
        self._publish = publish
        self._chance = chance
        self._now_ns = now_ns
        self._timer: asyncio.TimerHandle | None = None

    def set(self, level: Level) -> None:
        """Chat at this level from now on."""
        self.stop()
        self.level = level
        if RATES_PER_S[level]:
            self._plan(asyncio.get_running_loop().time())

    def stop(self) -> None:
        """Say nothing more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _plan(self, after_s: float) -> None:
        loop = asyncio.get_running_loop()
        due = max(after_s, loop.time() - BEHIND_LIMIT_S)
        due += self._chance.expovariate(RATES_PER_S[self.level])
        self._timer = loop.call_at(due, self._speak, due)

    def _speak(self, due: float) -> None:
        late_s = max(0.0, asyncio.get_running_loop().time() - due)
        if self.late_ms is not None:
            self.late_ms.append(late_s * 1e3)
        pick = self._chance.choice
        text = f"{pick(OPENINGS)}: {pick(SAYINGS)}"
        self._publish(Draft(pick(NAMES), text, max(0, self._now_ns() - round(late_s * 1e9))))
        self._plan(due)
