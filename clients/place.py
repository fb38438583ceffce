"""Where a reader is in the feed: what it asks for follows that."""

from urllib.parse import quote

import msgspec

from demo.message import GapNotice, Hello


class Place(msgspec.Struct, frozen=True):
    """The id of the last message that a reader has, in the history named `epoch`."""

    epoch: str
    cursor: int

    @property
    def query(self) -> str:
        """How a request names it."""
        return f"after={self.cursor}&epoch={quote(self.epoch)}"


def told_by(notice: GapNotice | Hello) -> Place:
    """Return where a notice puts its reader; after a gap, before the oldest message left."""
    cursor = notice.oldest - 1 if isinstance(notice, GapNotice) else notice.cursor
    return Place(notice.epoch, cursor)
