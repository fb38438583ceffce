"""How long a client that failed waits before it asks again. No timers here."""

import random

FIRST_S = 0.1
LONGEST_S = 5.0
LONGEST_ASKED_S = 60.0  # that a server may ask for: beyond it a reader would seem dead


class Backoff:
    """Pauses that grow with each failure, every one drawn anew from all of its range.

    Full jitter: clients that lost their server together do not come back together.
    Source: M. Brooker, "Exponential Backoff and Jitter", AWS Architecture Blog, 2015.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._longest_s = FIRST_S

    def reset(self) -> None:
        """Begin anew: something went well."""
        self._longest_s = FIRST_S

    def next_s(self, asked_s: float = 0.0) -> float:
        """Return the next pause in seconds; not before what the server has asked for."""
        pause_s = asked_s + self._chance.uniform(0, self._longest_s)
        self._longest_s = min(2 * self._longest_s, LONGEST_S)
        return pause_s


def asked_s(retry_after: str | None) -> float:
    """Read a `Retry-After` in seconds (RFC 9110, section 10.2.3); 0 when there is none.

    Its other form, a date, is one of another machine's clock, and is not read.
    """
    text = (retry_after or "").strip()
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        return 0.0
    return min(float(text), LONGEST_ASKED_S)
