"""Which message each publisher's key has become, so that none is published twice. No network here.

A publisher that had no answer cannot know whether its message was taken. If it gave the message a
key, it can send it again: a key is remembered for as long as its message can be read, for each
sender apart, and never shown to readers.
"""

from collections import OrderedDict

from demo.feed import Entry, Feed
from demo.message import Draft


class Keys:
    """Keep the keys of the messages that `feed` has."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._epoch = feed.epoch
        self._entries: OrderedDict[tuple[str, str], Entry] = OrderedDict()

    def find(self, draft: Draft) -> Entry | None:
        """Return what a draft of this key has become, None if there is no key or nothing has."""
        if draft.key is None:
            return None
        self._forget()
        return self._entries.get((draft.sender, draft.key))

    def keep(self, draft: Draft, entry: Entry) -> None:
        """Remember what a draft has become; its key must not be known yet."""
        if draft.key is not None:
            self._forget()
            self._entries[draft.sender, draft.key] = entry

    def _forget(self) -> None:
        if self._epoch != self._feed.epoch:
            self._epoch = self._feed.epoch
            self._entries.clear()
        oldest = self._feed.oldest
        while self._entries and next(iter(self._entries.values())).message.id < oldest:
            self._entries.popitem(last=False)
