"""Many connections to one server: they join some at a time, are counted, leave by themselves."""

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

import msgspec

from clients import dialling
from clients.backoff import Backoff

AT_ONCE = 50  # connections opened at a time
LOOK_AGAIN_S = 0.02
MOST_AHEAD = 500  # connections opened before the server has answered on them: it may be slow
TELL_EVERY = 50  # clients that have joined


class Tally(msgspec.Struct):
    """What connections have carried, all together.

    failures: requests without a good answer, and WebSockets that broke
    """

    requests: int = 0
    connections: int = 0
    failures: int = 0
    bytes_up: int = 0
    bytes_down: int = 0

    def add(self, other: "Tally") -> None:
        """Add another's counts to this one's."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class Member(Protocol):
    """One of a crowd: it connects when told to, and leaves by itself."""

    async def connect(self) -> None:
        """Open a connection and ask; where that fails, try again later."""


class Crowd:
    """Connections that are all at one server, from so many loopback addresses.

    gone: set when the last of them has left, or `error` has come up, which nobody expected
    tell: hears how many have had their first answer, now and then and when all have
    """

    def __init__(
        self,
        url: str,
        size: int,
        chance: random.Random,
        sources: int = 1,
        tell: Callable[[int], None] = lambda _: None,
    ) -> None:
        address = urlsplit(url)
        self.host, self.port = address.hostname or "", address.port or 80
        self.tally = Tally()
        self.gone = asyncio.Event()
        self.error: BaseException | None = None
        self._size = self._here = size
        self._joined = 0
        self._chance = chance
        self._sources = itertools.cycle(dialling.source(n, sources) for n in range(sources))
        self._tell = tell
        self._over = False
        self._tasks: set[asyncio.Future[None]] = set()

    async def join(
        self, members: Sequence[Member], joining_s: float, *, answered: bool = True
    ) -> None:
        """Let all connect, some at a time, evenly over a while, or as fast as the server answers.

        answered: whether it answers each at once, and so can be waited for
        """
        began = asyncio.get_running_loop().time()
        for first in range(0, len(members), AT_ONCE):
            some = members[first : first + AT_ONCE]
            await asyncio.gather(*(member.connect() for member in some))
            opened = first + len(some)
            due = began + joining_s * opened / len(members)
            await asyncio.sleep(due - asyncio.get_running_loop().time())
            while answered and opened - self._joined > MOST_AHEAD:  # noqa: ASYNC110
                await asyncio.sleep(LOOK_AGAIN_S)

    def backoff(self) -> Backoff:
        """Make what one waits by, as a measured client does, before it comes back."""
        return Backoff(self._chance)

    async def connect(self, protocol: asyncio.Protocol, backoff: Backoff) -> None:
        """Connect one; try again later when that fails."""
        try:
            await dialling.connect(lambda: protocol, self.host, self.port, next(self._sources))
        except OSError:
            self.again(lambda: self.connect(protocol, backoff), backoff)

    def again(
        self,
        connect: Callable[[], Awaitable[None]],
        backoff: Backoff,
        wanted_s: float = 0.0,
        *,
        failed: bool = True,
    ) -> None:
        """Connect after a pause, and not before the server wants it.

        failed: whether it is after a failure, which is counted
        """
        if self._over:
            return
        self.tally.failures += failed
        pause_s = backoff.next_s(wanted_s)

        async def pause() -> None:
            await asyncio.sleep(pause_s)
            await connect()

        self.start(pause())

    def start(self, work: Awaitable[None]) -> None:
        """Run something that nobody waits for."""
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def arrive(self) -> None:
        """Count one in: it has had its first answer."""
        self._joined += 1
        if self._joined % TELL_EVERY == 0 or self._joined == self._size:
            self._tell(self._joined)

    def leave(self) -> None:
        """Count one out."""
        self._here -= 1
        if not self._here:
            self.gone.set()

    def end(self) -> None:
        """Let nobody connect again: whoever wanted the crowd has gone, or has seen enough."""
        self._over = True

    def fail(self, error: BaseException) -> None:
        """End it all: something has gone wrong that is nobody's connection."""
        self.error = self.error or error
        self.gone.set()

    def _ended(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)
