"""The feed's log in Redis: one stream, asked through one pool of connections. It keeps no message.

Needs the package `redis`. What it asks raises `redis.exceptions.RedisError`, and is asked once.
"""

from collections.abc import Awaitable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from redis.asyncio import Redis
from redis.asyncio.connection import Connection
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import ReadOnlyError, ResponseError

from demo.connections import BLOCK_S, connections
from demo.feed import Away
from demo.message import Draft, Message
from demo.scripts import APPEND, STAND

KEY = "polling-vs-websocket:feed"
PUBLISHERS_KEYS = f"{{{KEY}}}:keys"  # in braces, so that a cluster has both in one place
KEYS = [KEY, PUBLISHERS_KEYS]
BATCH = 250  # messages read at once: taking them holds up everything else

T = TypeVar("T")
Position = tuple[int, int]  # epoch and id: what comes later is larger
Fields = dict[str, str]


class Stream:
    """Ask Redis, over at most so many connections.

    connected_anew: set whenever one has been opened
    """

    def __init__(self, url: str, most: int) -> None:
        self.connected_anew = False
        self._redis = Redis.from_pool(connections(url, most, self._connect))
        self._append = self._redis.register_script(APPEND)
        self._stand = self._redis.register_script(STAND)

    async def append(self, draft: Draft, now_ns: int, history: int, above: int = 0) -> Message:
        """Append a message, and cut the stream to `history`; return it once Redis has it.

        A draft whose key the stream knows is not appended: the first of that key is returned.
        If there is no stream, one is begun, with an epoch above `above`.
        """
        sent_ns = now_ns if draft.sent_ns is None else draft.sent_ns
        name = "" if draft.key is None else f"{draft.sender}\n{draft.key}"
        values = [above, history, draft.sender, draft.text, sent_ns, now_ns, name]
        appending = self._append(keys=KEYS, args=cast(list[str | int], values))
        number, *known = await self._answered(appending)
        if known:
            fields = known[0]
            return _message(int(number), dict(zip(fields[::2], fields[1::2], strict=True)))
        return Message(int(number), draft.sender, draft.text, sent_ns, now_ns)

    async def end(self, above: int = 0) -> Position:
        """Return where the stream ends; begin it if there is none."""
        return _position(await self._answered(self._stand(keys=KEYS, args=[above, 0])))

    async def renew(self, epoch: int) -> Position:
        """Let the stream go on under another epoch, unless it has already; return its end."""
        return _position(await self._answered(self._stand(keys=KEYS, args=[epoch, 1])))

    async def at(self, position: Position) -> Message | None:
        """Return the message there, None if it has been cut off."""
        place = _place(position)
        rows: list[tuple[str, Fields]]
        rows = await self._answered(cast(Awaitable[Any], self._redis.xrange(KEY, place, place)))
        return _message(position[1], rows[0][1]) if rows else None

    async def after(self, position: Position) -> list[tuple[Position, Message | None]]:
        """Wait for what follows `position`; return it, or nothing if nothing comes.

        The beginning of a stream is a place without a message.
        """
        block_ms = round(BLOCK_S * 1e3)
        reading = self._redis.xread({KEY: _place(position)}, count=BATCH, block=block_ms)
        answer = await self._answered(cast(Awaitable[Any], reading))
        return [_row(place, fields) for _, rows in answer or () for place, fields in rows]

    async def evicts(self) -> str | None:
        """Return the policy by which Redis drops any key for want of memory, if it says such a one.

        The keys of publishers are another key than the stream, and may go alone.
        """
        asking = cast(Awaitable[dict[str, str]], self._redis.config_get("maxmemory-policy"))
        try:
            policy = (await self._answered(asking)).get("maxmemory-policy", "")
        except ResponseError:  # it does not let everybody ask
            return None
        return policy if policy.startswith("allkeys") else None

    async def leave(self) -> None:
        """Ask over new connections from now on: those that are open may lead to another Redis."""
        pool: Any = self._redis.connection_pool
        await pool.update_active_connections_for_reconnect()
        await pool.disconnect(inuse_connections=False)

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    async def _answered(self, answer: Awaitable[T]) -> T:
        """Wait for an answer; leave a Redis that has been demoted, which hangs up on nobody."""
        try:
            return await answer
        except ResponseError as error:
            # Redis 6 says so of scripts in words alone.
            if isinstance(error, ReadOnlyError) or "READONLY" in str(error):
                await self.leave()
            raise
        except RuntimeError as error:  # uvloop's, of a connection that was reset while it was idle
            raise LostConnectionError(str(error)) from error

    async def _connect(self, connection: Connection) -> None:
        self.connected_anew = True
        await connection.on_connect()


def address(url: str) -> str:
    """Return where Redis is, without the password that the URL may hold."""
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 6379}"


def _place(position: Position) -> str:
    return "{}-{}".format(*position)


def _position(place: str) -> Position:
    epoch, _, number = place.partition("-")
    return int(epoch), int(number)


def _row(place: str, fields: Fields) -> tuple[Position, Message | None]:
    position = _position(place)
    return position, _message(position[1], fields) if position[1] else None


def _message(number: int, fields: Fields) -> Message:
    try:
        stamps = int(fields["sent_ns"]), int(fields["published_ns"])
        return Message(number, fields["sender"], fields["text"], *stamps)
    except (KeyError, ValueError):
        line = f"entry {number} of the stream {KEY!r} is no message"
        raise Away(f"{line}: delete the stream, or name another Redis with --feed") from None
