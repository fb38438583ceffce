"""What the words of the command line may be; each raises an error that says what is allowed."""

import argparse
import contextlib
import re
from urllib.parse import urlsplit

MEMORY = "memory"
SQLITE = "sqlite:///"
ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[A-Za-z0-9.:\[\]_-]+", re.ASCII)  # RFC 6454, section 6
LEAST_TOKEN = 4  # characters, which an address may guess at for weeks: see classroom/token.py
DEFAULT_PORTS = {"http": ":80", "https": ":443"}  # which no browser says


def port(text: str) -> int:
    """Read a port, or 0."""
    if text.isascii() and text.isdecimal() and int(text) <= 65535:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port, choose one from 0 to 65535")


def feed(text: str) -> str:
    """Read where the feed's log is."""
    with contextlib.suppress(ValueError):  # such as a port that is no number
        if text == MEMORY or (text.startswith(SQLITE) and text != SQLITE):
            return text
        if text.startswith(("redis://", "rediss://")) and urlsplit(text).port != 0:
            return text
    line = f"{text!r} is neither memory nor such as sqlite:///feed.db or redis://host:6379/0"
    raise argparse.ArgumentTypeError(line)


def token(text: str) -> str:
    """Read a token, which is part of an address."""
    if not re.fullmatch(r"[A-Za-z0-9._~-]+", text):
        raise argparse.ArgumentTypeError("a token is letters, digits, or any of . _ ~ -")
    if len(text) < LEAST_TOKEN:
        line = f"so short a token would soon be guessed: choose {LEAST_TOKEN} characters or more,"
        raise argparse.ArgumentTypeError(f"{line} better 20, or leave --token out to have one made")
    return text


def origin(text: str) -> str:
    """Read the origin of pages, as browsers say it."""
    given = text.lower().removesuffix("/")
    if given == "null" or (ORIGIN.fullmatch(given) and _has_host(given)):
        scheme = given.partition(":")[0]
        return given.removesuffix(DEFAULT_PORTS.get(scheme, ""))
    line = f"{text!r} is not an origin: name one such as https://example.org, without a path"
    raise argparse.ArgumentTypeError(line)


def _has_host(address: str) -> bool:
    with contextlib.suppress(ValueError):  # such as half of a pair of brackets
        return bool(urlsplit(address).hostname)
    return False


def positive(text: str) -> int:
    """Read a whole number from 1."""
    return _whole(text, 1)


def natural(text: str) -> int:
    """Read a whole number from 0."""
    return _whole(text, 0)


def rate(text: str) -> float:
    """Read a number from 0."""
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")


def seconds(text: str) -> float:
    """Read a number of seconds above 0."""
    with contextlib.suppress(ValueError):
        if 0 < float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds above 0")


def _whole(text: str, least: int) -> int:
    if text.isascii() and text.isdecimal() and int(text) >= least:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least}")
