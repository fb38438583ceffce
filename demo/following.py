"""Keep a feed's memory as the stream in Redis is, whatever that has lost. It publishes nothing."""

from collections.abc import Awaitable, Callable

from demo.feed import Feed
from demo.stream import Position, Stream


class Following:
    """Take what `stream` has into `feed`; `led` is called when it may have led to another Redis.

    What is asked raises RedisError, and Away when the stream holds what no server has put there.
    """

    def __init__(self, feed: Feed, stream: Stream, led: Callable[[], Awaitable[None]]) -> None:
        self.epoch = 0
        self._feed = feed
        self._stream = stream
        self._led = led

    @property
    def position(self) -> Position:
        """How far the feed has come."""
        return self.epoch, self._feed.head

    async def resume(self) -> Position:
        """Find where the stream ends, and that it goes on from what is known here of it.

        Asked on every new connection, since that may be to a Redis that has lost something.
        """
        asked = False
        while self._stream.connected_anew or not asked:
            if self._stream.connected_anew:
                await self._led()
            self._stream.connected_anew, asked = False, True
            end = await self._stream.end(self.epoch)
            if not await self._goes_on(end):
                end = await self._stream.renew(self.epoch)
        epoch, head = end
        if epoch != self.epoch:
            self._begin(epoch, max(0, head - self._feed.history))
        return end

    async def read(self) -> bool:
        """Take what follows; say whether to read on, or to resume."""
        rows = await self._stream.after(self.position)
        if self._stream.connected_anew:
            return False
        for (epoch, number), message in rows:
            if epoch != self.epoch or number > self._feed.head + 1:
                self._begin(epoch, max(0, number - 1))
            if message is not None:
                self._feed.enter(message)
        return bool(rows)

    async def _goes_on(self, end: Position) -> bool:
        # A Redis that came back without its last messages gives their ids away again.
        epoch, head = end
        if epoch != self.epoch:
            return True
        if head < self._feed.head:
            return False
        if self._feed.oldest > self._feed.head:  # nothing is known to compare
            return True
        (known,) = self._feed.after(self._feed.head - 1)
        there = await self._stream.at(self.position)
        return there is None or there == known.message

    def _begin(self, epoch: int, head: int) -> None:
        self.epoch = epoch
        self._feed.restart(f"{epoch:x}", head)
