"""What a program did to its files and said on its sockets, from the report of strace. No I/O here.

Written for `strace -f -y -xx`: every call on a line, descriptors with their paths, and all strings
in hexadecimal. A call that another thread's interrupts is on two lines.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

CHANGES = ("openat", "pwrite64", "ftruncate", "fsync", "fdatasync", "unlink")
SAYS = ("write", "writev", "sendto", "sendmsg")
TRACED = (*CHANGES, *SAYS)

LINE = re.compile(
    r"(?P<thread>\d+) +(?:<\.\.\. \w+ resumed>(?P<rest>.*)|(?P<call>\w+)\((?P<start>.*))"
)
CUT = " <unfinished ...>"
PLACE = re.compile(r"\d+<([^>]*)>")
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
NUMBER = r", (\d+)\)? +="
RESULT = re.compile(r"= (-?\d+)")


@dataclass(frozen=True)
class Change:
    """What a program did to a file, or a folder, by its path."""

    path: str


class Make(Change):
    """A name for a file, which is new if there was none."""


class Unlink(Change):
    """A name less."""


class Sync(Change):
    """All that was written to a file, or all names in a folder, is on disk from now on."""


@dataclass(frozen=True)
class Write(Change):
    """Bytes from an offset on."""

    offset: int
    data: bytes


@dataclass(frozen=True)
class Truncate(Change):
    """A size."""

    size: int


@dataclass(frozen=True)
class Said:
    """Bytes on a socket, from the moment on when they may have left."""

    socket: str
    data: bytes


Event = Change | Said


class Cut(ValueError):
    """A string is not there in whole: strace was not told to show long ones."""


def events(lines: Iterable[str]) -> Iterator[Event]:
    """Take a report apart: a change of a file counts from its end on, what is said from its start.

    Calls that failed did nothing. Raises Cut.
    """
    begun: dict[str, tuple[str, str]] = {}
    for line in lines:
        found = LINE.match(line)
        if found is None:
            continue  # a signal, or an end
        thread, call, said = found["thread"], found["call"], found["start"]
        if call is None:
            call, start = begun.pop(thread, ("", ""))
            said = start + found["rest"]
        elif said.endswith(CUT):
            said = said.removesuffix(CUT)
            begun[thread] = (call, "" if call in SAYS else said)
            if call not in SAYS:
                continue
            said += " = 1"
        if call in READ and _succeeded(said):
            yield from READ[call](said)


def _succeeded(said: str) -> bool:
    results = RESULT.findall(said)
    return bool(results) and int(results[-1]) >= 0


def _opened(said: str) -> Iterator[Event]:
    if "O_CREAT" in said:
        yield Make(_string(said).decode())


def _unlinked(said: str) -> Iterator[Event]:
    yield Unlink(_string(said).decode())


def _written(said: str) -> Iterator[Event]:
    yield Write(_place(said), _last_number(said), _string(said))


def _truncated(said: str) -> Iterator[Event]:
    yield Truncate(_place(said), _last_number(said))


def _synced(said: str) -> Iterator[Event]:
    yield Sync(_place(said))


def _said(said: str) -> Iterator[Event]:
    place = _place(said)
    if place.startswith("socket:"):
        yield Said(place, b"".join(_bytes(*found) for found in STRING.findall(said)))


READ: dict[str, Callable[[str], Iterator[Event]]] = {
    "openat": _opened,
    "unlink": _unlinked,
    "pwrite64": _written,
    "ftruncate": _truncated,
    "fsync": _synced,
    "fdatasync": _synced,
    **dict.fromkeys(SAYS, _said),
}


def _place(said: str) -> str:
    found = PLACE.match(said)
    return "" if found is None else _unescaped(found[1])


def _string(said: str) -> bytes:
    found = STRING.search(said)
    assert found is not None, said
    return _bytes(found[1], found[2])


def _bytes(digits: str, cut: str) -> bytes:
    if cut:
        raise Cut("a string is cut short: use strace's option --string-limit")
    return bytes.fromhex(digits.replace(r"\x", ""))


def _unescaped(text: str) -> str:
    if not text.startswith(r"\x"):
        return text
    return bytes.fromhex(text.replace(r"\x", "")).decode()


def _last_number(said: str) -> int:
    return int(re.findall(NUMBER, said)[-1])
