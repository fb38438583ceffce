"""Run the demo with its feed in a Redis of its own: `python -m tests.bench.shared_feed WORKERS`.

All of it may run on every core, whatever core this process was started on.
"""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.redis_servers import redis_server


def main() -> int:
    """Serve until SIGTERM; the demo says where."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    with (
        tempfile.TemporaryDirectory() as folder,
        redis_server(Path(folder) / "redis") as redis,
    ):
        shared = ("--feed", redis.url, "--workers", sys.argv[1])
        command = (sys.executable, "-m", "demo", "--port", "0", "--publish-rate", "0", *shared)
        server = subprocess.Popen(command)
        try:
            return server.wait()
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    sys.exit(main())
