"""Connections to Redis, each opened once it is needed, and kept. Needs the package `redis`."""

from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import Connection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as LostConnectionError
from redis.exceptions import RedisError

from demo.feed import Away

ANSWER_S = 2.0  # Redis is away when it takes longer
BLOCK_S = 1.0  # the longest wait for news


class Unasked(LostConnectionError):
    """There was no connection to be had, so nothing has been asked."""


class Connections(BlockingConnectionPool):
    """A pool that tells what was not asked from what was not answered."""

    async def get_connection(self, *arguments: Any, **options: Any) -> Any:
        """Return a connection that is open; raise Unasked if there is none."""
        try:
            return await super().get_connection(*arguments, **options)  # type: ignore[no-untyped-call]
        except RedisError as error:
            raise Unasked(str(error)) from error


def connections(
    url: str, most: int, connect: Callable[[Connection], Awaitable[None]]
) -> Connections:
    """Make a pool of at most so many; `connect` prepares each. Raises Away if the URL is none."""
    try:
        pool = Connections.from_url(
            url,
            max_connections=most,
            timeout=ANSWER_S,  # how long to wait for a free connection
            socket_connect_timeout=ANSWER_S,
            socket_timeout=ANSWER_S + BLOCK_S,
            retry=Retry(NoBackoff(), 0),  # else an append may be sent again
            redis_connect_func=connect,
            protocol=2,
            decode_responses=True,
        )
        # Which opens nothing, and takes no option that there is not.
        pool.make_connection()  # type: ignore[no-untyped-call]
    except (TypeError, ValueError) as error:
        raise Away(
            f"--feed is no URL of a Redis ({error}): name such as redis://h:6379/0"
        ) from None
    return pool
