"""A client that keeps no cursor over a fault: it begins anew, with what is new from then on.

The same in all else, so that nothing but the cursor makes the difference. While all goes well it
asks as the others do; many a page does no more, and does well until its first bad connection.
"""

from clients.client import Client
from clients.place import Place
from demo.message import MAX_CURSOR, GapNotice, Hello, Message

BEYOND = Place("", MAX_CURSOR)


class Nowhere(Place, frozen=True):
    """No place: a WebSocket that names none begins at the head, and is greeted with it."""

    @property
    def query(self) -> str:
        """Nothing."""
        return ""


NOWHERE = Nowhere("", 0)


class Naive(Client):
    """Ask a server for what is new; forget where that was whenever a request fails."""

    async def get(self, path: str, **query: str) -> tuple[Message, ...]:
        """Ask once, as a client does; without a place, ask where the feed stands."""
        if self.place is NOWHERE:
            # A poll that names no cursor is told "nothing new", and not since when. From beyond
            # the head it is told where the head is.
            self.place = BEYOND
        return await super().get(path, **query)

    def _note(self, notice: GapNotice | Hello) -> None:
        self.place = Place(notice.epoch, notice.cursor)

    async def _failed(self, wanted_s: float) -> None:
        self.place = NOWHERE
        await super()._failed(wanted_s)
