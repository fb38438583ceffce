"""Measure what another worker brings: servers that share a port, and a feed in Redis.

Here the workers, Redis and the generator share what cores there are, so look at the CPU beside the
rate: a worker more brings a core's worth where the CPU of an answer stays what it was, and there is
a core for it. The servers' CPU holds that of Redis.
"""

import importlib.util
import shutil
import socket
import sys
from dataclasses import replace

from tests.bench import polls
from tests.bench.results import Window
from tests.bench.servers import ours

SHARED = "workers"
COUNTS = (1, 2)
ONE = "1 worker"


def can() -> bool:
    """Say whether there is a Redis here, and processes can share a port."""
    has_redis = shutil.which("redis-server") and importlib.util.find_spec("redis")
    return bool(has_redis) and hasattr(socket, "SO_REUSEPORT")


async def measure(count: int, seconds: float) -> list[Window]:
    """Measure empty polls and held ones, of so many workers."""
    name = ONE if count == 1 else f"{count} workers"
    command = (sys.executable, "-m", "tests.bench.shared_feed", str(count))
    server = replace(ours()[-1], name=name, command=command)
    windows = [await each(server, seconds, None) for each in (polls.empties, polls.held)]
    return [replace(one, part=SHARED, setting=f"{one.part}, {one.setting}") for one in windows]
