"""Message and its JSON: the contract between the server and whoever reads or publishes.

No network and no import of ours: clients may take this module, and nothing else, from `demo`.
"""

from typing import Annotated

import msgspec

MAX_TEXT_BYTES = 4096
MAX_SENDER_CHARACTERS = 64
MAX_CURSOR = 2**53 - 1  # the largest integer that JavaScript holds exactly

Sender = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SENDER_CHARACTERS)]
Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a publisher posts. `sent_ns` is its own stamp, or None to take the server's."""

    sender: Sender
    text: str
    sent_ns: Nanoseconds | None = None


class Message(msgspec.Struct, frozen=True):
    """One message of the feed; ids are consecutive integers, stamps are `perf_counter_ns`.

    That clock is one machine's: stamps of servers on several machines cannot be compared.
    """

    id: int
    sender: str
    text: str
    sent_ns: int
    published_ns: int


class Hello(msgspec.Struct, frozen=True):
    """The first frame of a WebSocket: which history this is, and where the reader starts."""

    epoch: str
    cursor: int


class News(msgspec.Struct, frozen=True):
    """A poll's answer with news: the messages after the reader's cursor, and its next cursor."""

    epoch: str
    cursor: int
    messages: tuple[Message, ...]


class GapNotice(msgspec.Struct, frozen=True):
    """Some of what follows the reader's cursor is gone: ids `oldest` to `cursor` can be read."""

    error: str
    epoch: str
    oldest: int
    cursor: int


class Problem(msgspec.Struct, frozen=True):
    """One line that says what was wrong with a request and what to do."""

    error: str


encode = msgspec.json.encode

_read_draft = msgspec.json.Decoder(Draft).decode


def decode_draft(body: bytes | str, max_text_bytes: int = MAX_TEXT_BYTES) -> Draft:
    """Parse what a publisher sent.

    Raises ValueError when it is not a draft, OverflowError when its text is too long.
    """
    try:
        draft = _read_draft(body)  # msgspec's ValidationError and DecodeError are ValueErrors
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    check_text(draft.text, max_text_bytes)
    return draft


def check_text(text: str, max_text_bytes: int) -> None:
    """Raise OverflowError when `text` is longer, in UTF-8, than the feed takes."""
    size = len(text.encode())
    if size > max_text_bytes:
        raise OverflowError(f"the text has {size} bytes, the limit is {max_text_bytes}")
