"""The modes as people meet them: name, colour, order. A fourth mode is one row here."""

from typing import NamedTuple


class Mode(NamedTuple):
    """A mode's name in text and its colour in every picture."""

    name: str
    colour: str


# Okabe and Ito's palette: told apart by every kind of colour vision.
MODES: dict[str, Mode] = {
    "short": Mode("short polling", "#D55E00"),
    "long": Mode("long polling", "#E69F00"),
    "ws": Mode("WebSocket", "#0072B2"),
}


def title(key: str) -> str:
    """Return a mode's name as it begins a sentence."""
    name = MODES[key].name
    return name[0].upper() + name[1:]
