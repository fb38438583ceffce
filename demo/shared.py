"""A feed that several servers share through Redis: follow its stream, read it from memory.

Each server follows the stream once and serves its readers from a `Feed`, as it does alone. What is
published goes to Redis first, and comes to every server, also the one that took it, in the stream.

`published_ns` is the stamp of the server that took the message, before Redis had it. All processes
of one Linux machine read the same clock. Stamps of different machines have nothing in common, and
latencies reckoned from them mean nothing.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable

from redis.exceptions import RedisError, ResponseError

from demo.connections import ANSWER_S, Unasked
from demo.feed import Away, Entry, Feed
from demo.following import Following
from demo.message import Draft
from demo.outage import Outage
from demo.promises import Together, given_up
from demo.stream import Stream, address

PAUSE_S = 0.25  # before a Redis that is away is asked again
APPENDS = 16  # under way at once; others wait their turn
FORGETS = (
    "may drop keys for want of memory (maxmemory-policy {}), and a message that is sent again may "
    "then be there twice: set it to noeviction"
)


class SharedFeed:
    """Keep `feed` as the stream at `url` is; `say` is told when Redis goes, and comes back.

    Following ends, with Away, when the stream holds what no server has put there.
    """

    def __init__(
        self,
        url: str,
        history: int,
        say: Callable[[str], None],
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self.feed = Feed(history)
        self.tail: asyncio.Task[None] | None = None
        self._address = address(url)
        self._outage = Outage(say)
        self._say = say
        self._clock = clock
        self._asked = Stream(url, APPENDS)
        self._followed = Stream(url, 1)
        self._following = Following(self.feed, self._followed, self._asked.leave)
        self._end = Together(lambda: self._asked.end(self._following.epoch))

    async def start(self) -> None:
        """Catch up with the stream, and follow it from now on; raise Away if Redis is."""
        try:
            if policy := await self._followed.evicts():
                self._say(f"Redis at {self._address} {FORGETS.format(policy)}")
            end = await self._following.resume()
            while self._following.position < end:
                if not await self._following.read():
                    end = await self._following.resume()
        except RedisError as error:
            await self._close()
            line = f"no Redis answers at {self._address} ({error})"
            raise Away(f"{line}: start it, or name another with --feed") from None
        except BaseException:
            await self._close()
            raise
        self.tail = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Follow no more; raise what has ended the following before, if anything has."""
        assert self.tail is not None
        await given_up(self.tail)
        await self._close()
        with contextlib.suppress(asyncio.CancelledError):
            self.tail.result()

    async def append(self, draft: Draft) -> Entry:
        """Append a message; return it once Redis has it, and raise Away if that is not certain.

        It is never sent twice: an answer may be lost alone, and the message would be there twice.
        A publisher that tries again takes that risk, unless its draft has a key.
        """
        try:
            message = await self._asked.append(
                draft, self._clock(), self.feed.history, above=self._following.epoch
            )
        except Unasked:
            line = "Redis cannot be reached, and nothing was sent to it"
            raise Away(f"{line}: try again later") from None
        except ResponseError as error:
            raise Away(f"Redis does not take messages now ({error}): try again later") from None
        except RedisError:
            line = "Redis has not confirmed the message, which may be in the feed or not"
            raise Away(f"{line}: try again") from None
        return Entry.of(message)

    async def meet(self, cursor: int | None, epoch: str | None) -> None:
        """Catch up with a reader that comes from a quicker server; raise Away if that fails.

        Its cursor would be beyond the head here, or its epoch unknown, and that would be a gap.
        """
        if not self._is_behind(cursor, epoch):
            return
        try:
            async with asyncio.timeout(ANSWER_S):
                end = await self._end.ask()
                while self._following.position < end and not self.feed.closed:
                    await self.feed.news(self.feed.head, ANSWER_S)
        except (RedisError, TimeoutError):
            line = "Redis does not answer, and this server may not have what you have"
            raise Away(f"{line}: try again") from None

    def _is_behind(self, cursor: int | None, epoch: str | None) -> bool:
        if epoch is None or epoch == self.feed.epoch:
            return cursor is not None and cursor > self.feed.head
        try:
            return int(epoch, 16) > self._following.epoch
        except ValueError:  # never an epoch of a stream
            return False

    async def _follow(self) -> None:
        """Follow the stream for ever, whether Redis goes or comes."""
        while True:
            try:
                await self._following.resume()
                self._outage.end("Redis answers again")
                while await self._following.read():
                    pass
            except RedisError as error:
                line = f"Redis does not answer at {self._address} ({error})"
                self._outage.begin(f"{line}: who publishes gets a 503, who reads waits")
                await asyncio.sleep(PAUSE_S)

    async def _close(self) -> None:
        await self._followed.close()
        await self._asked.close()
