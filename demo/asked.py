"""A draft that waits for the disk, and the promise to those who ask for it. No disk here."""

import asyncio

from demo.feed import Entry
from demo.message import Draft, Message
from demo.promises import unheard


class Asked:
    """A draft, when it came, and the promise of its entry.

    asking: how many wait for it; several may have sent the same key
    """

    def __init__(self, draft: Draft, now_ns: int) -> None:
        self.draft = draft
        self.now_ns = now_ns
        self.asking = 0
        self.entry: asyncio.Future[Entry] = asyncio.get_running_loop().create_future()
        self.entry.add_done_callback(unheard)

    def message(self, number: int) -> Message:
        """Return the draft as the message of this id."""
        sent_ns = self.now_ns if self.draft.sent_ns is None else self.draft.sent_ns
        return Message(number, self.draft.sender, self.draft.text, sent_ns, self.now_ns)
