"""Message and its JSON: the contract between the server and whoever reads or publishes.

No network and no import of ours: clients may take this module, and nothing else, from `demo`.
"""

import re
from typing import Annotated

import msgspec

MAX_TEXT_BYTES = 4096
MAX_SENDER_CHARACTERS = 64
MAX_KEY_CHARACTERS = 64
MAX_CURSOR = 2**53 - 1  # the largest integer that JavaScript holds exactly

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # Unicode's category Cc
CONTROL_IN_TEXT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")  # without tab and newline

Sender = Annotated[str, msgspec.Meta(min_length=1)]
Key = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_KEY_CHARACTERS)]
# A browser rounds a number as large as this and writes it as it is, so that none becomes larger.
MAX_NS = 4 * 10**18  # 126 years

Nanoseconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_NS)]


class Draft(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a publisher posts. `sent_ns` is its own stamp, or None to take the server's.

    A `key` lets it be sent again when no answer came: of all drafts of one sender and one key the
    first becomes a message. Readers do not see it.
    """

    sender: Sender
    text: str
    sent_ns: Nanoseconds | None = None
    key: Key | None = None


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


class Unfit(ValueError):
    """A draft that a limit refuses; `limit` is its name among the counters: see refusals.py."""

    def __init__(self, limit: str, line: str) -> None:
        super().__init__(line)
        self.limit = limit


def decode_draft(
    body: bytes | str,
    max_text_bytes: int = MAX_TEXT_BYTES,
    max_sender_characters: int = MAX_SENDER_CHARACTERS,
) -> Draft:
    """Parse what a publisher sent.

    Raises ValueError when it is not a draft, and Unfit when it is one that is not taken.
    """
    try:
        draft = _read_draft(body)  # msgspec's ValidationError and DecodeError are ValueErrors
    except RecursionError:
        raise ValueError("the JSON is nested too deeply") from None
    size = len(draft.sender)
    if size > max_sender_characters:
        line = f"the sender has {size} characters, the limit is {max_sender_characters}"
        raise Unfit("sender", line)
    if CONTROL.search(draft.sender):
        raise Unfit("characters", "the sender has control characters")
    if draft.key is not None and CONTROL.search(draft.key):
        raise Unfit("characters", "the key has control characters")
    check_text(draft.text, max_text_bytes)
    return draft


def check_text(text: str, max_text_bytes: int) -> None:
    """Raise Unfit when `text` is longer, in UTF-8, than the feed takes, or has more than text."""
    size = len(text.encode())
    if size > max_text_bytes:
        raise Unfit("text", f"the text has {size} bytes, the limit is {max_text_bytes}")
    if CONTROL_IN_TEXT.search(text):
        line = "the text has control characters: only tabs and newlines may be among it"
        raise Unfit("characters", line)
