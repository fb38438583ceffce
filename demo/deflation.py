"""Push with permessage-deflate (RFC 7692): each message compressed anew for each reader.

Off unless asked for. Every reader has a compressor with a memory of its own, so nothing can be
made once for all: this is what the extension costs, side by side with what it saves.
"""

import asyncio
import contextlib

from aiohttp import WSMsgType

from demo.fanout import Listener, tell_gap
from demo.feed import Feed, Gap


class Deflation:
    """Push a feed to listeners whose sockets compress; the same verbs as a fan-out."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed
        self._pushing: dict[Listener, asyncio.Task[None]] = {}

    def add(self, listener: Listener) -> None:
        """Write what the listener has missed, and all that comes."""
        self._pushing[listener] = asyncio.create_task(self._push(listener))

    def discard(self, listener: Listener) -> None:
        """Forget a listener whose connection is gone."""
        self._pushing.pop(listener).cancel()

    async def _push(self, listener: Listener) -> None:
        epoch = self._feed.epoch
        with contextlib.suppress(ConnectionError):  # the reader has gone
            while listener.open and not self._feed.closed:
                try:
                    await self._catch_up(listener, epoch)
                except Gap as gap:
                    await tell_gap(listener, self._feed, gap)
                    return
                if self._feed.epoch == epoch:  # else catching up finds the gap
                    await self._feed.news(listener.cursor)

    async def _catch_up(self, listener: Listener, epoch: str) -> None:
        self._feed.check(listener.cursor, epoch)
        for entry in self._feed.after(listener.cursor):
            await listener.ws.send_frame(entry.json, WSMsgType.TEXT)
            listener.cursor = entry.message.id
            listener.tally.deliveries += 1
