"""What the words of the command line may be; each raises an error that says what is allowed."""

import argparse
import contextlib
import math
from collections.abc import Callable
from urllib.parse import urlsplit

from clients.faults.schedule import KINDS
from clients.modes import MODES


def modes(text: str) -> tuple[str, ...]:
    """Read the names of modes."""
    named = text.split(",")
    unknown = [mode for mode in named if mode not in MODES]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(MODES)}")
    return tuple(named)


def kinds(text: str) -> str:
    """Read the names of kinds of faults."""
    unknown = [kind for kind in text.split(",") if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not one of {', '.join(KINDS)}")
    return text


def number(low: float, high: float) -> Callable[[str], float]:
    """Return what reads a number within bounds."""

    def parse_number(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if low <= value <= high:
            return value
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {low:g} to {high:g}")

    return parse_number


def whole(low: int, high: int) -> Callable[[str], int]:
    """Return what reads a whole number within bounds."""

    def parse_whole(text: str) -> int:
        if text.isascii() and text.isdecimal() and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")

    return parse_whole


def url(text: str) -> str:
    """Read the address of a server, perhaps with a path below which it is."""
    with contextlib.suppress(ValueError):  # such as a port that is no number
        parts = urlsplit(text)
        if text.startswith(("http://", "https://")) and parts.hostname and parts.port != 0:
            return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a URL such as http://127.0.0.1:3001")
