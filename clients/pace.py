"""How a client of any mode paces itself."""

import msgspec


class Pace(msgspec.Struct, frozen=True):
    """The times that a mode may need; each takes what concerns it.

    interval_s: short polling's pause between a response and the next request
    phase_s: its first pause, drawn at random so that clients do not ask together
    hold_s: the longest that the server may keep a long poll
    """

    interval_s: float
    phase_s: float
    hold_s: float
