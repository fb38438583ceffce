"""The modes as people meet them: name, colour, order. A fourth mode is one row here."""

from collections.abc import Iterable
from typing import NamedTuple


class Mode(NamedTuple):
    """A mode's name in text, its colour in every picture, and what it is told from others by.

    ignores: settings that make no difference to it
    session: one request lasts as long as its reader stays; else a reader polls
    """

    name: str
    colour: str
    ignores: frozenset[str]
    session: bool = False


# Okabe and Ito's palette: told apart by every kind of colour vision.
MODES: dict[str, Mode] = {
    "short": Mode("short polling", "#D55E00", frozenset({"hold_s", "deflate"})),
    "long": Mode("long polling", "#E69F00", frozenset({"interval_s", "timer", "deflate"})),
    "ws": Mode(
        "WebSocket",
        "#0072B2",
        frozenset({"interval_s", "timer", "hold_s", "keepalive"}),
        session=True,
    ),
}
POLLS = tuple(key for key, mode in MODES.items() if not mode.session)


def title(key: str) -> str:
    """Return a mode's name as it begins a sentence."""
    name = MODES[key].name
    return name[0].upper() + name[1:]


def concerning(key: str, settings: Iterable[str]) -> list[str]:
    """Return those of the settings that make a difference to a mode."""
    return [name for name in settings if name not in MODES[key].ignores]
